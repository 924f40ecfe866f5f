"""KServe's first protocol: rows as `instances`, answers as `predictions`. What its Python client speaks unless told otherwise."""

import re
from typing import Any

from foretell.errors import ForetellError
from foretell.inference.codec.parsed import MAX_ROWS, ParsedRows
from foretell.inference.codec.strict_json import decode
from foretell.inference.codec.wording import shown
from foretell.inference.json_tables import malformed, read_columns, read_instances, usual_rows
from foretell.inference.signature import Signature
from foretell.serving.exchange import Exchange, Head
from foretell.serving.faces import Handler
from foretell.serving.listing import visible_models
from foretell.serving.plain_json import plain_error, replied
from foretell.serving.responses import Response
from foretell.serving.routing import (
    MODEL,
    NoSuchAddress,
    Route,
    find_handler,
    number_of,
    require_media_type,
)
from foretell.serving.services import LaneServices

INSTANCES, INPUTS = "instances", "inputs"
MEDIA_TYPES = ("application/json", "application/x-www-form-urlencoded")  # the second is what curl says of any body
_AROUND_ROWS = 1_000


class KServeFace:
    name = "kserve"

    def __init__(self, services: LaneServices) -> None:
        self._services = services
        self.routes = (
            Route(re.compile("/v1/models"), {"GET": self._models}),
            Route(re.compile(f"/v1/models/{MODEL}"), {"GET": self._model}),
            Route(re.compile(f"/v1/models/{MODEL}:predict"), {"POST": self._predict}),
        )

    def route(self, method: str, path: str) -> Handler | None:
        if path == "/":
            return self._alive if method in ("GET", "HEAD") else None
        if path != "/v1" and not path.startswith("/v1/"):
            return None
        found = find_handler(self.routes, method, path.removesuffix("/"), refusal=self._services.refusal)
        return found or self._services.refusal(
            NoSuchAddress("KServe's are /v1/models, /v1/models/<name> and /v1/models/<name>:predict.")
        )

    def takes(self, head: Head) -> bool:
        return head.path != "/" or is_program(head)

    def failure(self, error: ForetellError, exchange: Exchange) -> Response:
        return plain_error(error, exchange)

    async def _alive(self, exchange: Exchange) -> Response:
        await self._services.visit(exchange)
        return replied({"status": "alive"})

    async def _models(self, exchange: Exchange) -> Response:
        await self._services.visit(exchange)
        return replied({"models": [model.name for model in visible_models(exchange)]})

    async def _model(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        model = await self._services.ready(exchange, name, alias=alias, version=version)
        return replied({"name": model.name, "ready": True})

    async def _predict(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        admission = await self._services.admit(exchange, name)
        require_media_type(exchange, *MEDIA_TYPES)
        body = await exchange.body(decompress=True)
        prediction = await self._services.predict(
            exchange,
            admission,
            alias=alias,
            number=number_of(name, version),
            parse=lambda signature: parse_v1(signature, body),
        )
        # Our own answer to rows is the protocol's, with more beside `predictions`.
        return Response(200, prediction.body)


def is_program(head: Head) -> bool:
    """Whether the root of the address is asked by a program with a credential, such as KServe's client, and not by a browser.

    The root is the catalogue of models, a page. A browser names HTML, has a cookie or no credential of a program.
    """
    headers = head.headers
    has_credential = b"authorization" in headers or b"x-api-key" in headers
    return has_credential and b"cookie" not in headers and b"text/html" not in headers.get(b"accept", b"").lower()


def parse_v1(signature: Signature, body: bytes) -> ParsedRows:
    """Read the rows of a request: under `instances`, or under `inputs`, which may be columns as well.

    Other keys beside them are not looked at, as the protocol has it.

    Raises
    ------
    InvalidInput
    """
    rows = usual_rows(signature, body)
    if rows is not None:
        return rows
    document: Any = decode(body, max_containers=MAX_ROWS + _AROUND_ROWS)
    if not isinstance(document, dict) or (INSTANCES in document) == (INPUTS in document):
        found = "both or neither" if isinstance(document, dict) else shown(document)
        raise malformed("", "not_an_object", f"Found {found}; expected an object with either {INSTANCES} or {INPUTS}.")
    if INSTANCES in document:
        return read_instances(signature, document[INSTANCES], path=INSTANCES)
    return read_columns(signature, document[INPUTS], path=INPUTS)
