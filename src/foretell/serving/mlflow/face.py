"""The four addresses of a served model: `ping`, `health`, `version` and `invocations`, below the model's own."""

import re
from functools import partial

from foretell.errors import ForetellError
from foretell.inference.answering import Parse
from foretell.inference.parquet_rows import table_rows
from foretell.serving.admission import Admission
from foretell.serving.catalogue import Version
from foretell.serving.door import known
from foretell.serving.exchange import Exchange, Head
from foretell.serving.faces import Handler
from foretell.serving.mlflow.errors import mlflow_error
from foretell.serving.mlflow.media_types import media_type_of
from foretell.serving.mlflow.requests import PARQUET, parse_invocation
from foretell.serving.mlflow.tables import Tables
from foretell.serving.predicting import find_version
from foretell.serving.responses import Response
from foretell.serving.routing import MODEL, Route, find_handler, number_of
from foretell.serving.services import LaneServices

PROTOCOL_VERSION = b"3.18.0"  # of MLflow, whose protocol this is


class MlflowFace:
    name = "mlflow"

    def __init__(self, services: LaneServices) -> None:
        self._services, self._tables = services, Tables()
        health = {"GET": self._ping, "HEAD": self._ping}
        # The model's own pages end with a slash; these do not, and only these are MLflow's.
        self.routes = (
            Route(re.compile(f"/models/{MODEL}/(?:ping|health)"), health),
            Route(re.compile(f"/models/{MODEL}/version"), {"GET": self._version}),
            Route(re.compile(f"/models/{MODEL}/invocations"), {"POST": self._invoke}),
        )

    def route(self, method: str, path: str) -> Handler | None:
        if not path.startswith("/models/"):
            return None
        return find_handler(self.routes, method, path, refusal=self._services.refusal)

    def takes(self, head: Head) -> bool:
        return True

    def failure(self, error: ForetellError, exchange: Exchange) -> Response:
        return mlflow_error(error, exchange)

    async def _ping(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        await self._services.ready(exchange, name, alias=alias, version=version)
        return Response(200, b"\n")

    async def _version(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        await self._services.find(exchange, name, alias=alias, version=version)
        return Response(200, PROTOCOL_VERSION)

    async def _invoke(self, exchange: Exchange, *, name: str, alias: str | None, version: str | None) -> Response:
        admission = await self._services.admit(exchange, name)
        media_type = media_type_of(exchange.header(b"content-type"))
        body = await exchange.body(decompress=True)
        number = number_of(name, version)
        parse: Parse = partial(parse_invocation, body=body, media_type=media_type)
        if media_type == PARQUET:
            found = find_version(admission.model, alias=alias, number=number)
            parse, number = await self._parquet(exchange, admission, found, body), found.number
        prediction = await self._services.predict(exchange, admission, alias=alias, number=number, parse=parse)
        # Our own answer to rows is the protocol's, with more beside `predictions`.
        return Response(200, prediction.body)

    async def _parquet(self, exchange: Exchange, admission: Admission, version: Version, body: bytes) -> Parse:
        """Unpack a table by what one version takes; that very version has to answer then."""
        tenant, _ = known(exchange)
        loaded = await self._services.describe(tenant, admission.model, version)
        table = await self._tables.unpack(body, loaded.signature)
        return partial(table_rows, table=table, path="dataframe")
