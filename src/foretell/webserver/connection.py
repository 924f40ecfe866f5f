"""One connection: what it waits for and since when, and how it ends so that the client sees why."""

import asyncio
import select
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from foretell.webserver import refusals
from foretell.webserver.refusals import Refusal
from foretell.webserver.state import State

# What the connection waits for. From DEAF on, nothing that comes is read any more.
WAITING, HEAD, BODY, DEAF, ENDING = range(5)


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, with deadlines and an orderly end.

    Nothing is timed per request: the connection notes what it waits for, and one sweep per second compares that with the clock.
    """

    wire: asyncio.Transport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.state = cast(State, server_state)
        self.bounds, self.load = self.state.bounds, self.state.load
        self.client_entry = ""
        self.is_fresh = True  # no request has come yet
        self.stage = WAITING
        self.since = self.load.now  # … this stage; what stands still by our own doing is not counted
        self.moved_at = self.since  # when a body last grew
        self.received = 0  # bytes of this body
        self.unanswered = 0  # requests whose heads came, and whose answers did not go out
        self.running: RequestResponseCycle | None = None  # … the first of them, or the last that was answered
        self.last_words: bytes | None = None
        self.unsent, self.unsent_since = 0, self.since

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = cast(asyncio.Transport, transport)
        super().connection_made(self.wire)
        self.transport = cast(asyncio.Transport, WayOut(self, self.wire))
        if self.state.is_flooded:
            self.wire.abort()
            return
        try:
            self.client_entry = self.state.admit(self.client[0] if self.client else "")
        except Refusal as refusal:
            self.refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        self.stage = ENDING
        if self.running is not None and self.running is not self.cycle:  # uvicorn tells the last one that came
            self.running.disconnected = True
            self.running.message_event.set()
        super().connection_lost(exc)
        self.state.clients.leave(self.client_entry)

    # --- deadlines --------------------------------------------------------------------------------------------------

    def sweep(self, now: float, elapsed: float) -> None:
        """Look at the deadlines; `elapsed` has passed since the last look."""
        if self._is_stuck_writing(now):
            self.wire.abort()
        elif self.stage == ENDING:
            if not self.unsent and now - self.since > self.bounds.linger_s:
                self.wire.abort()
        elif self.stage == DEAF or (self.stage == WAITING and self.unanswered):
            return  # the application's turn
        elif self.flow.read_paused or (self.stage == BODY and self.cycle.waiting_for_100_continue):
            self.since, self.moved_at = self.since + elapsed, now
        elif self.stage == BODY:
            self._sweep_body(now)
        elif self.stage == HEAD:
            if now - self.since > self.bounds.head_s:
                self.refuse(refusals.head_too_slow(self.bounds.head_s))
        elif self._is_idle_too_long(now) and not self._has_unread():
            self.end()

    def forgive(self, seconds: float) -> None:
        """Move the deadlines: what came while the process stood still is not read yet."""
        self.since += seconds
        self.moved_at += seconds
        self.unsent_since += seconds

    def _sweep_body(self, now: float) -> None:
        bounds = self.bounds
        granted_s = bounds.body_s + self.received / bounds.body_bytes_per_s
        if now - self.moved_at > bounds.body_gap_s:
            self.refuse(refusals.body_stalled(bounds.body_gap_s))
        elif now - self.since > granted_s:
            self.refuse(refusals.body_too_slow(granted_s))

    def _is_idle_too_long(self, now: float) -> bool:
        return now > self.state.farewell_by or now - self.since > (
            self.bounds.head_s if self.is_fresh else self.bounds.idle_s
        )

    def _is_stuck_writing(self, now: float) -> bool:
        """Whether the client takes nothing of what is written to it."""
        unsent = self.wire.get_write_buffer_size()
        if not unsent or unsent != self.unsent:
            self.unsent, self.unsent_since = unsent, now
        return now - self.unsent_since > self.bounds.write_gap_s

    def _has_unread(self) -> bool:
        """Race condition: what the kernel has received, and we have not read, is a request that wants its answer."""
        poll = select.poll()
        poll.register(self.wire.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    # --- the end ----------------------------------------------------------------------------------------------------

    def refuse(self, refusal: Refusal) -> None:
        """Answer by ourselves, after what is still being answered, and end the connection."""
        self.state.note(refusal)
        has_half_a_request = self.stage == BODY and not self.cycle.response_complete
        self.stage, self.last_words = DEAF, refusal.answer(self.state.default_headers)
        if has_half_a_request:
            self._give_up(self.cycle)
        if not self.unanswered:
            self.say_last_words()

    def _give_up(self, cycle: RequestResponseCycle) -> None:
        """Let go of a request that will never be whole: unqueue it, or let the application see a client that went away."""
        self.unanswered -= 1
        for entry in self.pipeline:
            if entry[0] is cycle:
                self.pipeline.remove(entry)
                return
        if cycle.response_started:
            self.last_words = b""
        cycle.disconnected = True
        cycle.message_event.set()

    def say_last_words(self) -> None:
        if self.last_words and not self.wire.is_closing():
            self.wire.write(self.last_words)
        self.end()

    def end(self) -> None:
        """Say that nothing more comes, and read on for a moment: to close before that would reset what the client has not read."""
        if self.stage == ENDING:
            return
        self.stage, self.since = ENDING, self.load.now
        if self.wire.is_closing():
            return
        if not self.wire.can_write_eof():
            self.wire.close()
            return
        self.wire.write_eof()
        self.flow.resume_reading()

    def close(self) -> None:
        """Close after the last answer: at once where nothing else can have come."""
        if self.stage == WAITING:
            self.stage, self.since = ENDING, self.load.now
            self.wire.close()
        else:
            self.end()

    def cut_off(self) -> None:
        """Close now; what is written is still sent."""
        self.stage, self.since = ENDING, self.load.now
        self.wire.close()

    def abort(self) -> None:
        self.wire.abort()

    def shutdown(self) -> None:
        """Make the next answer the last one; an idle connection has `farewell_s` for another request.

        Race condition: an answer that has begun promised to keep the connection, so the one after it is the last.
        """
        if self.unanswered and not self.cycle.response_started:
            self.cycle.keep_alive = False
            if self.stage == WAITING:
                self.stage = DEAF


class WayOut:
    """What uvicorn takes for the transport: it writes to it directly, and closes it in order."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, connection: Connection, wire: asyncio.Transport) -> None:
        self.write, self.is_closing, self.close = wire.write, wire.is_closing, connection.close
