from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foretell.accounts.flows import sessions
from foretell.accounts.permissions import Action, principal_of


class SessionSerializer(serializers.Serializer[Any]):
    """One sign-in that holds: a browser's, or a program's tokens."""

    id = serializers.CharField()
    kind = serializers.ChoiceField([sessions.BROWSER, sessions.TOKENS])
    started_at = serializers.DateTimeField()
    address = serializers.CharField(help_text="Where it began; empty, where that is not known.")
    user_agent = serializers.CharField()
    is_current = serializers.BooleanField(help_text="Whether this request came by it.")
    url = serializers.SerializerMethodField()

    def get_url(self, one: sessions.SignedIn) -> str:
        return reverse("accounts:session", args=[one.id], request=self.context["request"])


class SessionsView(generics.GenericAPIView[Any]):
    """Where you are signed in."""

    required_actions = {"GET": Action.MANAGE_SELF, "DELETE": Action.MANAGE_SELF}
    serializer_class = SessionSerializer
    pagination_class = None  # they are few, and answered at once

    @extend_schema(operation_id="sessions_list", responses=SessionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List browsers' sessions and programs' tokens, the latest first; keys have a list of their own."""
        key = request._request.session.session_key
        found = sessions.sessions_of(principal_of(request).user, current_key=key, now=timezone.now())
        return Response(self.get_serializer(found, many=True).data)

    @extend_schema(operation_id="sessions_end_all", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out everywhere, here included: every browser, and every program with tokens. Keys stay."""
        sessions.end_all(user=principal_of(request).user)
        return Response(status=204)


class SessionView(generics.GenericAPIView[Any]):
    """One of them."""

    required_actions = {"DELETE": Action.MANAGE_SELF}
    serializer_class = SessionSerializer

    @extend_schema(operation_id="sessions_end", responses={204: None})
    def delete(self, request: Request, session_id: str) -> Response:
        """End it."""
        sessions.end_session(user=principal_of(request).user, id=session_id, now=timezone.now())
        return Response(status=204)
