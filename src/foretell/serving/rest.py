"""Our own API's predictions: JSON or CSV in, JSON or CSV out, byte for byte as Django's view answers them.

The plain case only. A browser's session, a form, an odd `Accept`, a query: all that goes to Django.
"""

import re
from functools import partial

from foretell.errors import ForetellError
from foretell.inference.answering import Prediction
from foretell.inference.codec.answers import csv_answer
from foretell.inference.codec.csv_rows import parse_csv
from foretell.inference.codec.json_rows import parse_json
from foretell.serving.exchange import Exchange, Head
from foretell.serving.faces import Handler
from foretell.serving.responses import Response, problem_of
from foretell.serving.services import LaneServices

PREDICT = re.compile(
    r"/api/v1/models/(?P<name>[^/@\0]+)(?:@(?P<alias>[^/@\0]+)|/versions/(?P<number>[0-9]{1,18}))?/predict/?"
)
JSON, CSV = "application/json", "text/csv"
CSV_TYPE = b"text/csv; charset=utf-8"
ACCEPTS_JSON = frozenset((b"", b"*/*", b"application/json", b"application/json, */*", b"application/json,*/*"))
ACCEPTS_CSV = frozenset((b"text/csv", b"text/csv, */*", b"text/csv,*/*"))
PARSERS = {JSON: parse_json, CSV: parse_csv}


class RestFace:
    name = "rest"

    def __init__(self, services: LaneServices) -> None:
        self._services = services

    def route(self, method: str, path: str) -> Handler | None:
        if method != "POST":
            return None
        match = PREDICT.fullmatch(path)
        if match is None:
            return None
        number = None if match["number"] is None else int(match["number"])
        return partial(self._predict, name=match["name"], alias=match["alias"], number=number)

    def takes(self, head: Head) -> bool:
        headers = head.headers
        if head.query or head.media_type not in PARSERS:
            return False
        accept = headers.get(b"accept", b"")
        if accept not in ACCEPTS_JSON and accept not in ACCEPTS_CSV:
            return False
        if b"idempotency-key" in headers or b"origin" in headers or b"content-encoding" in headers:
            return False  # to answer again as before, or to a page, or to refuse: all of it is Django's
        return b"authorization" in headers or b"x-api-key" in headers or b"cookie" not in headers

    def failure(self, error: ForetellError, exchange: Exchange) -> Response:
        return problem_of(error, exchange)

    async def _predict(self, exchange: Exchange, *, name: str, alias: str | None, number: int | None) -> Response:
        parse = PARSERS[exchange.media_type]
        admission = await self._services.admit(exchange, name)
        body = await exchange.body()
        prediction = await self._services.predict(
            exchange, admission, alias=alias, number=number, media_type=exchange.media_type,
            parse=lambda signature: parse(signature, body),
        )  # fmt: skip
        if exchange.headers.get(b"accept", b"") in ACCEPTS_CSV:
            return Response(200, _as_csv(prediction), CSV_TYPE)
        return Response(200, prediction.body)


def _as_csv(prediction: Prediction) -> bytes:
    parsed = prediction.parsed
    return csv_answer(prediction.signature, parsed.batch, prediction.predictions, table=parsed.table)
