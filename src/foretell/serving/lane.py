"""The fast lane: an ASGI application that answers predictions from memory, and hands everything else on untouched."""

import re

import structlog

from foretell.addresses import split_prefix
from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.errors import ForetellError
from foretell.problems import BROKEN
from foretell.serving.exchange import ClientGone, Exchange, Terms
from foretell.serving.faces import Face, Handler
from foretell.serving.measuring import Measures
from foretell.serving.responses import Response, send_response
from foretell.serving.websocket import WebSockets

log = structlog.get_logger(__name__)

PREDICTS = re.compile(r".*(?:/predict/?|/infer/?|/invocations|:predict/?)", re.DOTALL)
MAX_ROUTES = 4_096
MAX_PATH_CHARS = 500  # Security: of those kept; whoever sends other addresses fills no memory

# The face, what answers, the path within the tenant, the tenant's prefix, and whether it is a prediction.
Route = tuple[Face, Handler, str, str | None, bool]


class Lane:
    """Answers what one of its faces takes.

    Parameters
    ----------
    app
        What answers the rest.
    faces
        The protocols; the first that knows an address has it.
    websockets
        The streams.
    terms
        What holds for every request.
    measures
        Where answers are counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        faces: tuple[Face, ...],
        websockets: WebSockets,
        terms: Terms,
        measures: Measures | None = None,
    ) -> None:
        self.app, self._websockets = app, websockets
        self._faces, self._terms = faces, terms
        self._measures = measures or Measures()
        self._routes: dict[tuple[str, str], Route] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and (stream := self._websockets.handler(scope["path"])) is not None:
            await stream(scope, receive, send)
            return
        if scope["type"] != "http" or (route := self._route(scope["method"], scope["path"])) is None:
            await self.app(scope, receive, send)
            return
        face, handler, path, prefix, is_prediction = route
        exchange = Exchange(scope, receive, path=path, prefix=prefix, terms=self._terms)
        if not face.takes(exchange):
            await self.app(scope, receive, send)
            return
        exchange.face = face.name
        try:
            response = await answered(face, handler, exchange)
        except ClientGone:
            return
        measure = self._measures.prediction if is_prediction else self._measures.request
        measure(exchange, response.status)
        await send_response(send, exchange, response)

    def _route(self, method: str, path: str) -> Route | None:
        key = (method, path)
        known = self._routes.get(key)
        if known is not None:
            return known
        found = self._found(method, path)
        if found is not None and len(path) <= MAX_PATH_CHARS:
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            self._routes[key] = found
        return found

    def _found(self, method: str, path: str) -> Route | None:
        prefixed = split_prefix(path)
        prefix, within = prefixed or (None, path)
        for face in self._faces:
            handler = face.route(method, within)
            if handler is not None:
                return face, handler, within, prefix, method == "POST" and PREDICTS.fullmatch(within) is not None
        return None


async def answered(face: Face, handler: Handler, exchange: Exchange) -> Response:
    """Return the answer, or what went wrong in the face's own words; what nobody raised on purpose is logged, once."""
    try:
        exchange.refuse_large_body()
        return await handler(exchange)
    except ForetellError as err:
        return face.failure(err, exchange)
    except ClientGone:
        raise
    except Exception as err:
        log.error("unexpected error on the lane", exc_info=err, request_id=exchange.request_id, path=exchange.path)
        return face.failure(ForetellError(BROKEN), exchange)
