"""The protocol's addresses, and what answers at each."""

import asyncio
import re
from functools import partial
from typing import Any

import foretell
from foretell.errors import ForetellError
from foretell.inference.codec import ParsedRows
from foretell.inference.signature import Signature
from foretell.inference.tensors.rows import read_tensors
from foretell.serving.door import known
from foretell.serving.exchange import Exchange, Head
from foretell.serving.faces import Handler
from foretell.serving.oip.describing import model_metadata
from foretell.serving.oip.replies import infer_reply
from foretell.serving.oip.repository import Repository
from foretell.serving.oip.requests import InferRequest, read_request
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

EXTENSIONS = ["binary_tensor_data", "model_repository"]
MANY_ROWS = 2_000  # their answer is put into words in a thread: the loop is everybody's
# tritonclient names no type, its asyncio twin names octets for JSON too, and curl names a form.
MEDIA_TYPES = ("application/json", "application/octet-stream", "application/x-www-form-urlencoded")


class OipFace:
    name = "oip"

    def __init__(self, services: LaneServices) -> None:
        self._services = services
        repository = Repository(services)
        self.routes = (
            _route("", GET=self._server),
            _route("/health/live", GET=_live, HEAD=_live),
            _route("/health/ready", GET=_ready, HEAD=_ready),
            _route("/models", GET=repository.models),
            _route(f"/models/{MODEL}", GET=self._model),
            _route(f"/models/{MODEL}/ready", GET=self._model_ready, HEAD=self._model_ready),
            _route(f"/models/{MODEL}/infer", POST=self._infer),
            _route("/repository/index", POST=repository.index),
            _route("/repository/models/(?P<name>[^/@:]+)/load", POST=repository.load),
            _route("/repository/models/(?P<name>[^/@:]+)/unload", POST=repository.unload),
        )

    def route(self, method: str, path: str) -> Handler | None:
        if path != "/v2" and not path.startswith("/v2/"):
            return None
        found = find_handler(self.routes, method, path.removesuffix("/"), refusal=self._services.refusal)
        return found or self._services.refusal(
            NoSuchAddress("The Open Inference Protocol's are below /v2/models/ and /v2/health/.")
        )

    def takes(self, head: Head) -> bool:
        return True

    def failure(self, error: ForetellError, exchange: Exchange) -> Response:
        return plain_error(error, exchange)

    async def _server(self, exchange: Exchange) -> Response:
        await self._services.visit(exchange)
        return replied({"name": "foretell", "version": foretell.__version__, "extensions": EXTENSIONS})

    async def _model(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        model, found = await self._services.find(exchange, name, alias=alias, version=version)
        tenant, _ = known(exchange)
        loaded = await self._services.describe(tenant, model, found)
        return replied(model_metadata(model, found, loaded.signature))

    async def _model_ready(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        model = await self._services.ready(exchange, name, alias=alias, version=version)
        return replied({"name": model.name, "ready": True})

    async def _infer(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        admission = await self._services.admit(exchange, name)
        require_media_type(exchange, *MEDIA_TYPES)
        asked = _Asked(await exchange.body(decompress=True), exchange.header(b"inference-header-content-length"))
        prediction = await self._services.predict(
            exchange, admission, alias=alias, number=number_of(name, version), parse=asked.parse
        )
        reply = partial(infer_reply, prediction, asked.request)
        return await asyncio.to_thread(reply) if prediction.predictions.n_rows > MANY_ROWS else reply()


class _Asked:
    """A request that is read where its prediction runs, and remembered for the reply."""

    request: InferRequest

    def __init__(self, body: bytes, header_length: str | None) -> None:
        self._body, self._header_length = body, header_length

    def parse(self, signature: Signature) -> ParsedRows:
        self.request = read_request(signature, self._body, self._header_length)
        return read_tensors(signature, self.request.tensors, content_type=self.request.content_type)


def _route(path: str, **methods: Any) -> Route:
    return Route(re.compile(f"/v2{path}"), methods)


async def _live(exchange: Exchange) -> Response:
    return replied({"live": True})


async def _ready(exchange: Exchange) -> Response:
    # The specification's text says `live`, its clients read `ready`.
    return replied({"live": True, "ready": True})
