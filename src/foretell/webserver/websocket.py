"""WebSockets within bounds: uvicorn's protocol on websockets' sans-I/O core, with caps where it has none, and a last word."""

import asyncio
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame

from foretell.webserver import refusals
from foretell.webserver.state import State

HANDSHAKE = "the handshake of a WebSocket, which has no body, and no header of more than 8,192 bytes"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection. The application reads message by message; while it does not, nothing more is read from the client."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.state = cast(State, server_state)
        self.client_entry = ""
        self.is_leaving = False
        self.unsent, self.unsent_since = 0, self.state.load.now

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.state.clients.leave(self.client_entry)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not (self.handshake_initiated or self.transport.is_closing()):
            self._refuse_handshake()

    def _refuse_handshake(self) -> None:
        """Security: what the other parser cannot read it is silent about, and the connection would stay for ever."""
        refusal = refusals.malformed(HANDSHAKE)
        self.state.note(refusal)
        self.transport.write(refusal.answer(self.default_headers))
        self.transport.close()

    def handle_cont(self, event: Frame) -> None:
        """Security: empty frames without end would fit under any cap on the size of a message."""
        if len(self.frames) >= self.state.bounds.max_fragments:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, f"more than {self.state.bounds.max_fragments} frames")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    # Security: a client that sends pings and reads no pongs would fill our memory with them.

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not (self.read_paused or self.is_leaving or self.transport.is_closing()):
            self.transport.resume_reading()

    def sweep(self, now: float, elapsed: float) -> None:
        """Drop a client that takes nothing of what is written to it; silence is what the pings are for."""
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self.unsent:
            self.unsent, self.unsent_since = unsent, now
        if now - self.unsent_since > self.state.bounds.write_gap_s:
            self.transport.abort()

    def forgive(self, seconds: float) -> None:
        self.unsent_since += seconds

    def cut_off(self) -> None:
        """Close now, whatever is under way."""
        super().shutdown()
        self.transport.close()

    def abort(self) -> None:
        self.transport.abort()

    def shutdown(self) -> None:
        """Let the application answer what has come, then close with 1012 (service restart); read nothing more."""
        if self.is_leaving or self.close_sent or self.transport.is_closing():
            return
        self.is_leaving = True
        self.stop_keepalive()
        self.transport.pause_reading()
        self.read_paused = False
        self.queue.put_nowait({"type": "websocket.disconnect", "code": int(CloseCode.SERVICE_RESTART)})

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.close_sent:
            self.handshake_complete = (
                True  # also where it was answered with an HTTP response: uvicorn would call that an error
            )

    async def receive(self) -> Any:
        message = await super().receive()
        if self.is_leaving and message["type"] == "websocket.disconnect":
            self._say_goodbye()
        return message

    def _say_goodbye(self) -> None:
        if not self.handshake_complete or self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.conn.send_close(CloseCode.SERVICE_RESTART)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.state.bounds.linger_s, self.transport.close)
