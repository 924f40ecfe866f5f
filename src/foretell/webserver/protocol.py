"""HTTP/1.1 under deadlines and caps: uvicorn's protocol, minus its patience.

uvicorn parses, runs the application and writes its answers. What is here decides how long a connection may take and how much it
may send, and ends it so that the client sees why. Nothing is timed per request: a connection notes what it waits for, and one
sweep per second compares that with the clock.
"""

import asyncio
import select
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from foretell.webserver import refusals
from foretell.webserver.framing import check_head, head_bytes
from foretell.webserver.refusals import Refusal
from foretell.webserver.state import State

# What the connection waits for. From DEAF on, nothing that comes is read any more.
WAITING, HEAD, BODY, DEAF, ENDING = range(5)
PROBES = (b"/livez", b"/readyz")


class WayOut:
    """What uvicorn takes for the transport: it writes to it directly, and closes it in order."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, protocol: "Protocol", wire: asyncio.Transport) -> None:
        self.write, self.is_closing, self.close = wire.write, wire.is_closing, protocol.close


class Protocol(HttpToolsProtocol):
    """One connection."""

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
        self.limit_concurrency = None  # ours is in on_headers_complete
        self.client_entry = ""
        self.is_fresh = True  # no request has come yet
        self.stage = WAITING
        self.since = self.load.now  # … this stage; what stands still by our own doing is not counted
        self.moved_at = self.since  # when a body last grew
        self.received = self.discarded = 0  # bytes of this body: all; those that nobody wanted
        self.chunk = self.overhead = 0  # bytes: of this read; of reads that brought neither a whole head nor any body
        self.unanswered = 0  # requests whose heads came, and whose answers did not go out
        self.last_words: bytes | None = None
        self.unsent, self.unsent_since = 0, self.since

    # --- the connection ---------------------------------------------------------------------------------------------

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
        super().connection_lost(exc)
        self.state.clients.leave(self.client_entry)

    def data_received(self, data: bytes) -> None:
        if self.stage >= DEAF:
            return
        if self.stage == WAITING:
            self.overhead = 0
        self.chunk = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._upgrade()
        except httptools.HttpParserError as err:
            if self.stage < DEAF:
                self.refuse(_refusal_for(err))
        else:
            if self.stage in (HEAD, BODY):
                self._count_overhead()

    def _count_overhead(self) -> None:
        """Bound what a head, chunk extensions and trailers may take before there is any body."""
        self.overhead += self.chunk
        if self.overhead > self.bounds.max_head_bytes:
            self.refuse(refusals.head_too_large(self.bounds.max_head_bytes))

    # --- what the parser finds --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.stage == WAITING:
            self.stage, self.since = HEAD, self.load.now

    def on_headers_complete(self) -> None:
        self._check_head()
        super().on_headers_complete()
        if self.parser.should_upgrade() and self._should_upgrade():
            return
        self.headers = []  # Security: trailers end here, not among the headers that the application trusts
        self.is_fresh = False
        self.stage, self.since = BODY, self.load.now
        self.moved_at = self.since
        self.received = self.discarded = 0
        self.overhead = -self.chunk
        self.unanswered += 1
        if self.state.leaving_since is not None:
            self.cycle.keep_alive = False

    def _check_head(self) -> None:
        limit = self.bounds.max_head_bytes
        if self.stage != HEAD:
            raise refusals.malformed("a request behind the last one")  # nobody is told: the connection is at its end
        if (self.overhead > 0 or self.chunk > limit) and head_bytes(self.url, self.headers) > limit:
            raise refusals.head_too_large(limit)
        if len(self.headers) > self.bounds.max_headers:
            raise refusals.too_many_headers(len(self.headers), self.bounds.max_headers)
        check_head(self.parser.get_http_version(), self.headers)
        if len(self.tasks) >= self.bounds.max_requests and self.url not in PROBES:
            raise refusals.too_busy()
        if len(self.pipeline) >= self.bounds.max_pipelined:
            raise refusals.malformed(f"more than {self.bounds.max_pipelined} requests wait for their answers")

    def on_body(self, body: bytes) -> None:
        size = len(body)
        self.moved_at = self.load.now
        self.received += size
        self.overhead = -self.chunk
        super().on_body(body)
        if self.stage == BODY and self.cycle.response_complete:
            self.discarded += size
            if self.discarded > self.bounds.max_discarded_bytes:
                self._end()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.stage != BODY:
            return
        self.stage, self.since = WAITING, self.load.now
        self.overhead = -self.chunk
        if self.state.leaving_since is not None and self.unanswered:
            self.stage = DEAF  # what is asked behind the last answer is never executed

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self.unanswered -= 1
        if self.stage == ENDING or self.wire.is_closing():
            return
        self.flow.resume_reading()
        if self.stage == WAITING or self.pipeline:
            self.since = self.moved_at = self.load.now
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.last_words is not None:
            self._say_last_words()

    def _upgrade(self) -> None:
        if not self._should_upgrade():
            self.cycle.keep_alive = (
                False  # the parser has stopped: this request is answered as plain HTTP, as the last one
            )
        elif self.state.leaving_since is not None:
            self.refuse(refusals.too_busy())
        elif self.unanswered:
            self.refuse(refusals.malformed("an upgrade behind a request that is not answered yet"))
        else:
            self.transport = self.wire  # another protocol's from here on
            self.handle_websocket_upgrade()
            cast(Any, self.wire.get_protocol()).client_entry = self.client_entry

    # --- deadlines --------------------------------------------------------------------------------------------------

    def sweep(self, now: float, elapsed: float) -> None:
        """Look at this connection's deadlines; `elapsed` has passed since the last look."""
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
            self._end()

    def _sweep_body(self, now: float) -> None:
        bounds = self.bounds
        granted_s = bounds.body_s + self.received / bounds.body_bytes_per_s
        if now - self.moved_at > bounds.body_gap_s:
            self.refuse(refusals.body_stalled(bounds.body_gap_s))
        elif now - self.since > granted_s:
            self.refuse(refusals.body_too_slow(granted_s))

    def _is_idle_too_long(self, now: float) -> bool:
        leaving = self.state.leaving_since
        if leaving is not None and now - leaving > self.bounds.farewell_s:
            return True
        return now - self.since > (self.bounds.head_s if self.is_fresh else self.bounds.idle_s)

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
            self._say_last_words()

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

    def _say_last_words(self) -> None:
        if self.last_words and not self.wire.is_closing():
            self.wire.write(self.last_words)
        self._end()

    def close(self) -> None:
        """Close after the last answer: at once where nothing else can have come."""
        if self.stage == WAITING:
            self.stage, self.since = ENDING, self.load.now
            self.wire.close()
        elif self.stage != ENDING:
            self._end()

    def _end(self) -> None:
        """Say that nothing more comes, and read on for a moment: to close before that would reset what the client has not read."""
        self.stage, self.since = ENDING, self.load.now
        if self.wire.is_closing():
            return
        if not self.wire.can_write_eof():
            self.wire.close()
            return
        self.wire.write_eof()
        self.flow.resume_reading()

    def shutdown(self) -> None:
        """Make the next answer the last one; an idle connection has `farewell_s` for another request.

        Race condition: an answer that has begun promised to keep the connection, so the one after it is the last.
        """
        if self.unanswered and not self.cycle.response_started:
            self.cycle.keep_alive = False
            if self.stage == WAITING:
                self.stage = DEAF


def _refusal_for(err: httptools.HttpParserError) -> Refusal:
    """Return why: a check of ours, or llhttp's own words; what failed in uvicorn's callbacks is the address."""
    if isinstance(err.__context__, Refusal):
        return err.__context__
    return refusals.malformed("its address" if isinstance(err, httptools.HttpParserCallbackError) else str(err))
