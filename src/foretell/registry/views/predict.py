"""Predict over REST: JSON or CSV in, JSON or CSV out, by the signature of the version that answers."""

import time
from typing import Any

from django.http import HttpRequest
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from foretell.accounts.limiting import ModelScope
from foretell.accounts.permissions import Action, principal_of
from foretell.core.browsable import BrowsableRenderer
from foretell.core.negotiation import PlainBodies
from foretell.errors import ForetellError
from foretell.inference.answering import Prediction
from foretell.inference.codec import ParsedRows
from foretell.inference.codec.answers import csv_answer, json_answer
from foretell.inference.codec.csv_rows import parse_csv
from foretell.inference.codec.form_rows import parse_form
from foretell.inference.codec.json_rows import parse_json
from foretell.inference.logged import Asked
from foretell.inference.signature import Signature
from foretell.registry.catalogue import scope_of_model
from foretell.registry.openapi import PredictSchema
from foretell.registry.predicting import predict, resolve_version
from foretell.registry.signature_forms import serializer_for
from foretell.registry.views.parsers import CSVBytesParser, JSONBytesParser
from foretell.registry.views.renderers import AnswerRenderer, CSVRenderer

CSRF_FIELD = "csrfmiddlewaretoken"


class PredictView(APIView):
    """Ask the champion, the version behind an alias, or a version by its number."""

    required_actions = {"POST": Action.PREDICT}
    parser_classes = [JSONBytesParser, CSVBytesParser]
    renderer_classes = [AnswerRenderer, BrowsableRenderer, CSVRenderer]
    content_negotiation_class = PlainBodies
    schema = PredictSchema()

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Take forms from the browsable page alone: to a program, a form is a mistake, which 415 tells plainly."""
        super().setup(request, *args, **kwargs)
        if "text/html" in request.headers.get("Accept", ""):
            self.parser_classes = [*self.parser_classes, FormParser, MultiPartParser]

    def model_scope(self) -> ModelScope | None:
        return scope_of_model(self.kwargs["name"])

    def post(self, request: Request, name: str, alias: str | None = None, number: int | None = None) -> Response:
        parse, body = _reader(request)
        timing = _Timing(parse, body)
        prediction = predict(
            principal=principal_of(request), model=name, alias=alias, version=number, parse=timing.parse,
            asked=_asked(parse, body),
        )  # fmt: skip
        answers = {CSVRenderer.format: _as_csv, AnswerRenderer.format: _as_bytes}
        answer = answers.get(request.accepted_renderer.format, _as_json)(prediction)
        return Response(answer, headers={"Server-Timing": timing.header()})

    def get_serializer(self, *_: Any, **__: Any) -> Any:
        """Return the empty form of the browsable page; where nobody could answer, one without fields."""
        asked = {"alias": self.kwargs.get("alias"), "version": self.kwargs.get("number")}
        try:
            found = resolve_version(principal=principal_of(self.request), model=self.kwargs["name"], **asked)
            return serializer_for(found.read_signature())()
        except ForetellError:
            return Serializer()


def _reader(request: Request) -> tuple[Any, Any]:
    """Return how the body is to be read, and the body; DRF parses no empty one."""
    body: Any = request.data
    media_type = (request.content_type or "").split(";")[0].strip().lower()
    if media_type in (FormParser.media_type, MultiPartParser.media_type):
        return parse_form, {key: value for key, value in body.items() if key != CSRF_FIELD}
    parse = parse_csv if media_type == CSVBytesParser.media_type else parse_json
    return parse, body if isinstance(body, bytes) else b""


def _asked(parse: Any, body: Any) -> Asked:
    """Return the body as the log keeps it; a form's rows are logged, not its fields."""
    if parse is parse_form:
        return Asked("form")
    return Asked("rest", body, CSVBytesParser.media_type if parse is parse_csv else JSONBytesParser.media_type)


class _Timing:
    """How long the model took: from its rows being there until its answer was."""

    def __init__(self, parse: Any, body: Any) -> None:
        self._parse, self._body = parse, body
        self._parsed_at = time.perf_counter()

    def parse(self, signature: Signature) -> ParsedRows:
        rows: ParsedRows = self._parse(signature, self._body)
        self._parsed_at = time.perf_counter()
        return rows

    def header(self) -> str:
        return f"model;dur={(time.perf_counter() - self._parsed_at) * 1e3:.2f}"


def _as_bytes(prediction: Prediction) -> bytes:
    return prediction.body


def _as_json(prediction: Prediction) -> dict[str, Any]:
    return json_answer(
        prediction.signature, prediction.predictions, is_single=prediction.parsed.is_single, model=prediction.model,
        version=prediction.version, id=prediction.id, warnings=prediction.parsed.warnings,
    )  # fmt: skip


def _as_csv(prediction: Prediction) -> bytes:
    return csv_answer(
        prediction.signature, prediction.parsed.batch, prediction.predictions, table=prediction.parsed.table
    )
