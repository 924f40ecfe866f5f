from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts import members, people
from foretell.accounts.authentication import SessionAuthentication
from foretell.accounts.errors import of_field
from foretell.accounts.flows import new_address, sessions
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, principal_of
from foretell.accounts.serializers import MeSerializer, UserSerializer
from foretell.accounts.views.door import validated
from foretell.accounts.writing import LeaveSerializer, MeChangeSerializer, SuccessorSerializer
from foretell.core.etags import check_match, tagged
from foretell.core.openapi.headers import IF_MATCH, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser


class MeView(generics.GenericAPIView[User]):
    """Who you are to Foretell, and what your credential may be used for."""

    required_actions = {"GET": Action.IDENTIFY, "PATCH": Action.MANAGE_SELF}
    serializer_class = MeSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="me_read", parameters=[IF_NONE_MATCH])
    def get(self, request: Request) -> Response:
        return tagged(request, self.get_serializer(principal_of(request).user).data)

    @extend_schema(operation_id="me_change", parameters=[IF_MATCH], request=MeChangeSerializer, responses=MeSerializer)
    def patch(self, request: Request) -> Response:
        """Change your name or password, or ask for another address; your password of now is asked for.

        A new password ends your sessions and tokens; the browser's session that asks goes on. Another address is `pending_email` until
        you enter the code that is sent there: to a browser's session at once, else from `/settings/account/`. Your present one takes it back.
        """
        fields, by = validated(MeChangeSerializer, request), principal_of(request)
        with transaction.atomic():
            held = User.objects.select_for_update(of=("self",)).get(pk=by.user.pk)
            check_match(request, self.get_serializer(held).data)
            changed = people.change_account(by=by, **fields)
            if isinstance(request.successful_authenticator, SessionAuthentication):
                _go_on(request, changed, fields)
        return tagged(request, self.get_serializer(changed).data)


def _go_on(request: Request, user: User, fields: dict[str, Any]) -> None:
    """Keep the browser's session that asks, and have a code entered in it."""
    if "password" in fields:
        sessions.keep(request._request, user)
    if "email" in fields and user.pending_email:
        new_address.send_code(request._request, user)


class LeaveView(generics.GenericAPIView[User]):
    """Leave the tenant."""

    required_actions = {"POST": Action.MANAGE_SELF}
    serializer_class = LeaveSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="me_leave", request=LeaveSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Your keys end at once, and your name and address go; what you made stays. The last owner cannot leave."""
        principal = principal_of(request)
        if validated(LeaveSerializer, request)["username"] != principal.user.username:
            raise of_field("username", "invalid", "This is not your user name. Give your own, to be sure.")
        members.leave(by=principal, now=timezone.now())
        return Response(status=204)


class OwnershipView(generics.GenericAPIView[User]):
    """Hand the tenant over."""

    required_actions = {"POST": Action.OWN}
    serializer_class = UserSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="ownership_transfer", request=SuccessorSerializer, responses=UserSerializer)
    def post(self, request: Request) -> Response:
        """Make somebody an owner and yourself an admin, at one stroke."""
        to = people.named("to", validated(SuccessorSerializer, request)["to"])
        return Response(self.get_serializer(members.transfer_ownership(to=to, by=principal_of(request))).data)
