"""What is open to all: what one has to show is in the body."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from foretell.accounts.permissions import Action
from foretell.core.strict import StrictJSONParser
from foretell.credentials import CHALLENGE


class OpenView(APIView):
    """Takes what it needs to know from the body: no other credential that comes along is looked at, and no cookie."""

    authentication_classes: list[Any] = []
    permission_classes: list[type[BasePermission]] = []
    throttle_classes: list[type[BaseThrottle]] = []
    parser_classes = [StrictJSONParser]
    required_actions = {"POST": Action.IDENTIFY}

    def get_authenticate_header(self, request: Request) -> str:
        return CHALLENGE
