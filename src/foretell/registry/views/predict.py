"""Predict over REST: JSON or CSV in, JSON or CSV out, by the signature of the version that answers."""

import time
from typing import Any

from django.http import HttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foretell.accounts.permissions import Action, principal_of
from foretell.inference.codec import ParsedRows
from foretell.inference.codec.answers import csv_answer, json_answer
from foretell.inference.codec.csv_rows import parse_csv
from foretell.inference.codec.json_rows import parse_json
from foretell.inference.signature import Signature
from foretell.registry.openapi import PredictSchema
from foretell.registry.predicting import Prediction, predict


class _BytesParser(BaseParser):
    """Hands the body on as it came: what it means is the signature's business, not DRF's."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return bytes(stream.read())


class JSONBytesParser(_BytesParser):
    media_type = "application/json"


class CSVBytesParser(_BytesParser):
    media_type = "text/csv"


class CSVRenderer(BaseRenderer):
    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return bytes(data)


class PredictView(APIView):
    """Ask the champion, the version behind an alias, or a version by its number."""

    required_actions = {"POST": Action.PREDICT}
    parser_classes = [JSONBytesParser, CSVBytesParser]
    renderer_classes = [JSONRenderer, BrowsableAPIRenderer, CSVRenderer]
    content_negotiation_class = DefaultContentNegotiation
    schema = PredictSchema()

    def post(
        self, request: Request, name: str, alias: str | None = None, number: int | None = None
    ) -> Response | HttpResponse:
        is_csv = (request.content_type or "").startswith(CSVBytesParser.media_type)
        parse = parse_csv if is_csv else parse_json
        body: Any = request.data
        timing = _Timing(parse, body if isinstance(body, bytes) else b"")  # DRF parses no empty body
        prediction = predict(
            principal=principal_of(request), model=name, alias=alias, version=number, parse=timing.parse
        )
        headers = {"Server-Timing": timing.header()}
        if request.accepted_renderer.format == CSVRenderer.format:
            return Response(_as_csv(prediction), headers=headers)
        return Response(_as_json(prediction), headers=headers)


class _Timing:
    """How long the model took: from its rows being there until its answer was."""

    def __init__(self, parse: Any, body: bytes) -> None:
        self._parse, self._body = parse, body
        self._parsed_at = time.perf_counter()

    def parse(self, signature: Signature) -> ParsedRows:
        rows: ParsedRows = self._parse(signature, self._body)
        self._parsed_at = time.perf_counter()
        return rows

    def header(self) -> str:
        return f"model;dur={(time.perf_counter() - self._parsed_at) * 1e3:.2f}"


def _as_json(prediction: Prediction) -> dict[str, Any]:
    return json_answer(
        prediction.signature, prediction.predictions, is_single=prediction.parsed.is_single, model=prediction.model,
        version=prediction.version, id=str(prediction.id), warnings=prediction.parsed.warnings,
    )  # fmt: skip


def _as_csv(prediction: Prediction) -> bytes:
    return csv_answer(
        prediction.signature, prediction.parsed.batch, prediction.predictions, table=prediction.parsed.table
    )
