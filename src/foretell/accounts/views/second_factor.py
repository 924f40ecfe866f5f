from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foretell.accounts.permissions import Action, principal_of
from foretell.accounts.second_factor.services import reset_second_factor
from foretell.accounts.views.door import user_of


class SecondFactorView(APIView):
    """What somebody shows beside their password."""

    required_actions = {"DELETE": Action.MANAGE}

    @extend_schema(operation_id="users_reset_second_factor", request=None, responses={204: None})
    def delete(self, request: Request, user_id: UUID) -> Response:
        """Take the second factors of somebody away who has lost them; their sessions and tokens end, and the password alone lets them in.

        Nobody takes their own away here, nor that of somebody of a role above their own.
        """
        reset_second_factor(user=user_of(user_id), by=principal_of(request))
        return Response(status=204)
