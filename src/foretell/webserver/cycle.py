"""One request and its answer, as an ASGI application sees them."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from foretell.webserver import refusals
from foretell.webserver.whole_answers import CLOSE, WHOLE, WITHOUT_BODY, check_lines, whole_answer

if TYPE_CHECKING:
    from foretell.webserver.connection import Connection


class Cycle(RequestResponseCycle):
    """uvicorn's cycle, for a body that is often whole before the application asks for it.

    Optimization: how a request begins is said once, on the class, and what only waiting needs is made by who waits.

    Parameters
    ----------
    body
        All of it, where the request is whole already; None where it is still to come.
    """

    logger, access_logger, access_log = logging.getLogger("uvicorn.error"), logging.getLogger("uvicorn.access"), False
    disconnected = response_started = response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    _event: asyncio.Event | None = None

    def __init__(
        self, connection: "Connection", scope: Any, *, keep_alive: bool, expects_continue: bool = False, body: bytes | None = None
    ) -> None:  # fmt: skip
        self.scope, self.keep_alive = scope, keep_alive
        self.transport, self.flow = connection.transport, connection.flow
        self.on_response = connection.on_response_complete
        self.waiting_for_100_continue = expects_continue
        self.body: Any = bytearray() if body is None else body
        self.more_body = body is None
        self._state = connection.state
        self._is_read = False

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:  # type: ignore[override]
        return self._state.default_headers

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]
        """What waiting is done on: for more of the body, or for the end."""
        if self._event is None:
            self._event = asyncio.Event()
        return self._event

    async def receive(self) -> Any:
        if self.more_body or self._is_read or self.disconnected:
            message = await super().receive()
            self._is_read = not message.get("more_body", False)
            return message
        self._is_read = True
        self.flow.resume_reading()
        if self._event is not None:
            self._event.clear()
        body, self.body = bytes(self.body), b""
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] != WHOLE:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if not self.disconnected:
            self._send_whole(message)

    def _send_whole(self, message: Any) -> None:
        if self.response_started:
            raise RuntimeError(f"Unexpected ASGI message {WHOLE!r}, after a response was begun.")
        status, head, body = message["status"], message["head"], message["body"]
        check_lines(head, message["n_headers"])
        if message.get("is_last", False):
            self.keep_alive = False
        has_body = self.scope["method"] != "HEAD" and status not in WITHOUT_BODY
        if not self.keep_alive:
            head += CLOSE
        self.waiting_for_100_continue = False
        self.response_started = self.response_complete = True
        self.transport.write(whole_answer(status, self._state.default_head + head, body if has_body else b""))
        if self._event is not None:
            self._event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    async def send_500_response(self) -> None:
        """Answer for an application that raised, which uvicorn has logged, or that was stopped."""
        task = asyncio.current_task()
        refusal = refusals.stopped() if task is not None and task.cancelling() else refusals.broken()
        headers, body = refusal.content()
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})
