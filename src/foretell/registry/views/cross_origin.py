from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action
from foretell.core.cross_origin.origins import ANY, normalised_origin
from foretell.core.etags import check_match, tagged
from foretell.core.openapi.headers import IF_MATCH_NEEDED, IF_NONE_MATCH
from foretell.core.strict import StrictCharField, StrictJSONParser, StrictSerializer
from foretell.registry.cross_origin import allow_origins, allowed_origins
from foretell.registry.views.models import validated

MAX_ORIGINS = 100
ORIGIN = (
    r"^(\*|https?://[a-z]([a-z0-9]{0,20})(\.[a-z]{1,20}){0,8}(:[1-9][0-9]{0,3})?)$"  # the most common of what is taken
)


@extend_schema_field({"type": "string", "maxLength": 255, "pattern": ORIGIN})
class OriginField(StrictCharField):
    def to_internal_value(self, data: Any) -> str:
        origin = normalised_origin(super().to_internal_value(data))
        if origin is None:
            raise serializers.ValidationError(
                f"Found {data!r:.80}, expected scheme, host and port, such as 'https://app.example.com', or '*'."
            )
        return origin


class OriginsSerializer(StrictSerializer):
    """The sites whose pages may read this tenant's API in a browser; `*` is any site."""

    origins = serializers.ListField(child=OriginField(max_length=255), max_length=MAX_ORIGINS, allow_empty=True)

    def validate_origins(self, origins: list[str]) -> list[str]:
        if ANY in origins and len(set(origins)) > 1:
            raise serializers.ValidationError("'*' is any origin: with it, no other is needed.")
        return origins


class OriginsView(generics.GenericAPIView[Any]):
    """The sites whose pages may read this tenant's API (CORS). By default none may; cookies are never sent along."""

    required_actions = {"GET": Action.MANAGE, "PUT": Action.MANAGE}
    serializer_class = OriginsSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="cors_read", parameters=[IF_NONE_MATCH], responses=OriginsSerializer)
    def get(self, request: Request) -> Response:
        return tagged(request, {"origins": allowed_origins()})

    @extend_schema(
        operation_id="cors_write", parameters=[IF_MATCH_NEEDED], request=OriginsSerializer, responses=OriginsSerializer
    )
    def put(self, request: Request) -> Response:
        """Allow these, and no other. Needs If-Match."""
        wanted = validated(OriginsSerializer, request.data)["origins"]
        after = allow_origins(
            origins=wanted, precondition=lambda found: check_match(request, {"origins": found}, is_required=True)
        )
        return tagged(request, {"origins": after})
