"""Each request has an id: the caller's, where it is a sane one, or ours. It is in every answer, in errors and in the log."""

import time
from contextvars import ContextVar

import structlog

from foretell.asgi import ASGIApp, Message, Receive, Scope, Send
from foretell.ids import is_sane_request_id, uuid7_text

HEADER = b"x-request-id"

_request_id: ContextVar[str] = ContextVar("foretell_request_id", default="")


def request_id() -> str:
    """Return the id of the request at hand, or the empty string outside one."""
    return _request_id.get()


def chosen_id(offered: str | None) -> str:
    """Return the caller's id, or one of ours where it could forge a line of the log."""
    return offered if offered and is_sane_request_id(offered) else uuid7_text()


class RequestIDs:
    """Names each request, and times it (`Server-Timing`). Outermost, so that a refusal before Django is named as well."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        identifier = chosen_id(_offered(scope))

        async def naming_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                timing = f"total;dur={(time.perf_counter() - started) * 1e3:.1f}"
                own = [(HEADER, identifier.encode()), (b"server-timing", timing.encode())]
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        token = _request_id.set(identifier)
        try:
            with structlog.contextvars.bound_contextvars(request_id=identifier):
                await self.app(scope, receive, naming_send)
        finally:
            _request_id.reset(token)


def _offered(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == HEADER), None)
