"""The four addresses of a served model: `ping`, `health`, `version` and `invocations`, below the model's own."""

import asyncio
import importlib
import re

from foretell.errors import ForetellError
from foretell.serving.exchange import Exchange
from foretell.serving.faces import Handler
from foretell.serving.mlflow.errors import mlflow_error
from foretell.serving.mlflow.media_types import media_type_of
from foretell.serving.mlflow.requests import PARQUET, parse_invocation
from foretell.serving.predicting import find_version
from foretell.serving.responses import Response
from foretell.serving.routing import MODEL, Route, find_handler, number_of
from foretell.serving.services import LaneServices

PROTOCOL_VERSION = b"3.18.0"  # of MLflow, whose protocol this is


class MlflowFace:
    name = "mlflow"

    def __init__(self, services: LaneServices) -> None:
        self._services = services
        health = {"GET": self._ping, "HEAD": self._ping}
        # The model's own pages end with a slash; these do not, and only these are MLflow's.
        self._routes = (
            Route(re.compile(f"/models/{MODEL}/(?:ping|health)"), health),
            Route(re.compile(f"/models/{MODEL}/version"), {"GET": self._version}),
            Route(re.compile(f"/models/{MODEL}/invocations"), {"POST": self._invoke}),
        )

    def route(self, method: str, path: str) -> Handler | None:
        return find_handler(self._routes, method, path) if path.startswith("/models/") else None

    def takes(self, exchange: Exchange) -> bool:
        return True

    def failure(self, error: ForetellError, exchange: Exchange) -> Response:
        return mlflow_error(error, exchange)

    async def _ping(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        await self._require_servable(exchange, name, alias, version)
        return Response(200, b"\n")

    async def _version(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        await self._require_servable(exchange, name, alias, version)
        return Response(200, PROTOCOL_VERSION)

    async def _require_servable(self, exchange: Exchange, name: str, alias: str | None, version: str | None) -> None:
        await self._services.enter(exchange)
        model = self._services.see(exchange, name)
        find_version(model, alias=alias, number=number_of(name, version))

    async def _invoke(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        await self._services.enter(exchange)
        model = self._services.admit(exchange, name)
        media_type = media_type_of(exchange.header(b"content-type"))
        body = await exchange.body(decompress=True)
        if media_type == PARQUET:  # its reader is not imported by those who never need it
            await asyncio.to_thread(importlib.import_module, "polars")
        prediction = await self._services.predict(
            exchange, model, alias=alias, number=number_of(name, version),
            parse=lambda signature: parse_invocation(signature, body, media_type),
        )  # fmt: skip
        # Our own answer to rows is the protocol's, with more beside `predictions`.
        return Response(200, prediction.body)
