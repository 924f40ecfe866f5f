from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foretell.accounts.permissions import Action
from foretell.audit.models import Entry
from foretell.core.pagination import LastPositionFirst
from foretell.core.queries import unknown_parameters
from foretell.registry.alias_history import Move, check_ever_was, move_at, moves_of, to_move
from foretell.registry.views.access import plain_model_of

AT = OpenApiParameter(
    "at",
    datetime,
    description="A moment, ISO 8601: which version the alias pointed at then. A date alone is its beginning, UTC.",
)


class MoveSerializer(serializers.Serializer[Move]):
    """A move of an alias; `version` null: it pointed at none from then on. `audit` is the row that says so."""

    at = serializers.DateTimeField()
    version = serializers.IntegerField(allow_null=True)
    from_version = serializers.IntegerField(allow_null=True)
    by = serializers.CharField()
    is_rollback = serializers.BooleanField()
    audit = serializers.SerializerMethodField()

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_audit(self, move: Move) -> str | None:
        return reverse("audit:entry", args=[move.entry_id], request=self.context["request"]) if move.entry_id else None


class AliasHistoryView(generics.GenericAPIView[Any]):
    """Where an alias pointed, and who moved it: also of an alias that is gone, and of a model that is archived."""

    required_actions = {"GET": Action.READ}
    serializer_class = MoveSerializer
    pagination_class = LastPositionFirst
    queryset = Entry.objects.none()

    @extend_schema(operation_id="aliases_history", parameters=[AT], responses=MoveSerializer(many=True))
    def get(self, request: Request, name: str, alias: str) -> Response:
        """List the moves, the newest first; with `at`, the one alone that held at that moment: none where there was none yet."""
        model = plain_model_of(request, name)
        if faults := unknown_parameters(request, ["at"]):
            raise ValidationError(faults)
        if "at" in request.query_params:
            move = move_at(model, alias, _moment(request.query_params["at"]))
            return Response({"next": None, "previous": None, "results": self._shown([move] if move else [])})
        page = self.paginate_queryset(moves_of(model, alias)) or []
        if not page and "cursor" not in request.query_params:
            check_ever_was(model, alias)
        return self.get_paginated_response(self._shown([to_move(row) for row in page]))

    def _shown(self, moves: list[Move]) -> Any:
        return self.get_serializer(moves, many=True).data


def _moment(text: str) -> datetime:
    try:
        moment: datetime = serializers.DateTimeField().to_internal_value(text)
    except serializers.ValidationError as err:
        raise ValidationError({"at": [f"Found {text!r:.40}, expected a time such as 2026-05-01T12:00:00Z."]}) from err
    return moment
