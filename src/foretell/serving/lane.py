"""The fast lane: an ASGI application that answers predictions from memory, and hands everything else on untouched."""

import re
from collections.abc import Awaitable
from typing import Any, NamedTuple

import structlog

from foretell.addresses import split_prefix
from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.errors import ForetellError
from foretell.problems import BROKEN
from foretell.serving.cross_origin import told
from foretell.serving.exchange import ClientGone, Exchange, Head, Terms
from foretell.serving.faces import Face, Handler
from foretell.serving.measuring import Measures
from foretell.serving.responses import MEMO, Response, send_response
from foretell.serving.websocket import WebSockets

log = structlog.get_logger(__name__)

PREDICTS = re.compile(r".*(?:/predict/?|/infer/?|/invocations|:predict/?)", re.DOTALL)
MAX_ROUTES = 4_096
MAX_PATH_CHARS = 500  # Security: of those kept; whoever sends other addresses fills no memory

_NOTHING: dict[str, Any] = {}
_UNREAD: Any = object()


class Route(NamedTuple):
    """What answers an address: a face's handler."""

    face: Face
    handler: Handler
    path: str  # within the tenant
    prefix: str | None  # the tenant's
    is_prediction: bool


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

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            known = self._known(scope)
            return self.app(scope, receive, send) if known is None else self._answer(*known, scope, receive, send)
        stream = self._websockets.handler(scope["path"]) if scope["type"] == "websocket" else None
        return (stream or self.app)(scope, receive, send)

    async def _answer(self, route: Route, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        face = route.face
        exchange = Exchange(head, scope, receive, terms=self._terms)
        exchange.face = face.name
        try:
            response = await answered(face, route.handler, exchange)
        except ClientGone:
            return
        if (origin := head.headers.get(b"origin")) is not None:
            response = told(response, exchange, origin)
        measure = self._measures.prediction if route.is_prediction else self._measures.request
        measure(exchange, response.status)
        await send_response(send, exchange, response)

    def _known(self, scope: Scope) -> tuple[Route, Head] | None:
        """Return what answers a request, and its head, read; None where it is not the lane's."""
        memo = scope.get("extensions", _NOTHING).get(MEMO)
        if memo is None:
            return self._read(scope)
        known: tuple[Route, Head] | None = memo.get(Lane, _UNREAD)
        if known is _UNREAD:
            known = memo[Lane] = self._read(scope)
        return known

    def _read(self, scope: Scope) -> tuple[Route, Head] | None:
        route = self._route(scope["method"], scope["path"])
        if route is None:
            return None
        head = Head(scope, path=route.path, prefix=route.prefix)
        return (route, head) if route.face.takes(head) else None

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
                is_prediction = method == "POST" and PREDICTS.fullmatch(within) is not None
                return Route(face, handler, within, prefix, is_prediction)
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
