"""The model card over REST: as JSON with its parts, or as the Markdown that it is."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, principal_of
from foretell.core.browsable import BrowsableRenderer
from foretell.core.etags import check_absent, check_match, tagged
from foretell.core.openapi.headers import IF_MATCH_NEEDED, IF_MATCH_WHERE_THERE, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser
from foretell.registry.cards import card_of, delete_card, write_card
from foretell.registry.models import ModelCard
from foretell.registry.serializers import CardSerializer
from foretell.registry.views.access import plain_model_of
from foretell.registry.views.models import validated
from foretell.registry.writing import CardWriteSerializer

MARKDOWN = {"contentMediaType": "text/markdown"}


class MarkdownRenderer(BaseRenderer):
    media_type = "text/markdown"
    format = "md"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return str(data["text"]).encode() if isinstance(data, dict) and "text" in data else b""


class MarkdownParser(BaseParser):
    media_type = "text/markdown"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, str]:
        try:
            return {"text": stream.read().decode()}
        except UnicodeDecodeError as err:
            raise ParseError("The body is not UTF-8.") from err


class CardView(generics.GenericAPIView[ModelCard]):
    """The model card: Markdown, with YAML front matter as on Hugging Face. `text` is all of it, `metadata` and `body` its parts."""

    required_actions = {"GET": Action.READ, "PUT": Action.PUSH, "DELETE": Action.PUSH}
    serializer_class = CardSerializer
    parser_classes = [StrictJSONParser, MarkdownParser]
    renderer_classes = [JSONRenderer, BrowsableRenderer, MarkdownRenderer]

    @extend_schema(
        operation_id="cards_read",
        parameters=[IF_NONE_MATCH],
        responses={(200, "application/json"): CardSerializer, (200, "text/markdown"): OpenApiTypes.STR},
    )
    def get(self, request: Request, name: str) -> Response:
        return self._answer(card_of(plain_model_of(request, name)))

    @extend_schema(
        operation_id="cards_write",
        parameters=[IF_MATCH_WHERE_THERE],
        request={"application/json": CardWriteSerializer, "text/markdown": MARKDOWN},
        responses={200: CardSerializer, 201: CardSerializer},
    )
    def put(self, request: Request, name: str) -> Response:
        """Write the card. One that is there needs If-Match: 428 without, 412 where somebody else wrote it meanwhile."""
        model, fields = plain_model_of(request, name), validated(CardWriteSerializer, request.data)
        _, is_new = write_card(model=model, text=fields["text"], by=principal_of(request), precondition=self._matching)
        return self._answer(card_of(model), status=201 if is_new else 200)

    @extend_schema(operation_id="cards_delete", parameters=[IF_MATCH_NEEDED], responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        delete_card(model=plain_model_of(request, name), by=principal_of(request), precondition=self._matching)
        return Response(status=204)

    def _matching(self, card: ModelCard | None) -> None:
        if card is None:
            check_absent(self.request)
        else:
            check_match(self.request, self.get_serializer(card).data, is_required=True)

    def _answer(self, card: ModelCard, *, status: int = 200) -> Response:
        return tagged(self.request, self.get_serializer(card).data, status=status)
