from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.flows.joining import set_sign_up, sign_up_mode
from foretell.accounts.models import SignUp
from foretell.accounts.permissions import Action
from foretell.accounts.views.door import validated
from foretell.core.etags import check_match, tagged
from foretell.core.strict import StrictJSONParser, StrictSerializer


class SignUpSerializer(StrictSerializer):
    """How people come to this team."""

    mode = serializers.ChoiceField(
        SignUp.choices, help_text="`open`: anybody signs up, as a viewer; `invitation`: who is invited; `closed`: nobody."
    )  # fmt: skip


class SignUpView(generics.GenericAPIView[Any]):
    """How people come to this team; by default, by invitation."""

    required_actions = {"GET": Action.MANAGE, "PUT": Action.MANAGE}
    serializer_class = SignUpSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="sign_up_read", responses=SignUpSerializer)
    def get(self, request: Request) -> Response:
        return tagged(request, _shown(sign_up_mode()))

    @extend_schema(operation_id="sign_up_write", request=SignUpSerializer, responses=SignUpSerializer)
    def put(self, request: Request) -> Response:
        """Set it. An If-Match, where it is given, is compared."""
        mode = SignUp(validated(SignUpSerializer, request)["mode"])
        after = set_sign_up(mode=mode, precondition=lambda found: check_match(request, _shown(found)))
        return tagged(request, _shown(after))


def _shown(mode: SignUp) -> dict[str, str]:
    return {"mode": str(mode)}
