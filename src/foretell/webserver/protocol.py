"""HTTP/1.1 within bounds: what the parser finds is counted and checked, then handed to the application.

Foretell takes from uvicorn how a request is run and an answer written (`RequestResponseCycle`, `FlowControl`), and how a process is
kept; what it lets clients do is decided here.
"""

import asyncio
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from foretell.webserver import refusals
from foretell.webserver.connection import BODY, DEAF, ENDING, HEAD, WAITING, Connection
from foretell.webserver.framing import check_head, head_bytes
from foretell.webserver.refusals import Refusal
from foretell.webserver.whole_answers import CLOSE, EXTENSIONS, WHOLE, WITHOUT_BODY, RawHeader, whole_answer

PROBES = (b"/livez", b"/readyz")


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    async def send(self, message: Any) -> None:
        if message["type"] != WHOLE:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if not self.disconnected:
            self._send_whole(message["status"], message["headers"], message["body"])

    def _send_whole(self, status: int, headers: list[RawHeader], body: bytes) -> None:
        if self.response_started:
            raise RuntimeError(f"Unexpected ASGI message {WHOLE!r}, after a response was begun.")
        if CLOSE in headers:
            self.keep_alive = False
        elif not self.keep_alive:
            headers = [*headers, CLOSE]
        has_body = self.scope["method"] != "HEAD" and status not in WITHOUT_BODY
        answer = whole_answer(status, [*self.default_headers, *headers], body if has_body else b"")
        self.waiting_for_100_continue = False
        self.response_started = self.response_complete = True
        self.transport.write(answer)
        self.message_event.set()
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


class Protocol(Connection):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.chunk = 0  # bytes of this read
        self.overhead = 0  # bytes of reads that brought neither a whole head nor any body
        self.discarded = 0  # bytes of this body that nobody wanted any more

    def data_received(self, data: bytes) -> None:
        if self.stage >= DEAF:
            return
        if self.stage == WAITING:
            self.stage, self.since, self.overhead = HEAD, self.load.now, 0
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

    def on_headers_complete(self) -> None:
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        self._check_head(version)
        scope["extensions"] = EXTENSIONS
        scope["method"] = parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        if parser.should_upgrade() and self._should_upgrade():
            return
        self._note_address()
        self.headers = []  # Security: trailers end here, not among the headers that the application trusts
        self.is_fresh = False
        self.stage, self.since = BODY, self.load.now
        self.moved_at = self.since
        self.received = self.discarded = 0
        self.overhead = -self.chunk
        keeps_alive = version == "1.1" and parser.should_keep_alive() and self.state.leaving_since is None
        self._begin(self._cycle(keep_alive=keeps_alive))

    def _check_head(self, version: str) -> None:
        limit = self.bounds.max_head_bytes
        if self.stage >= BODY:
            raise refusals.malformed("a request behind the last one")  # nobody is told: the connection is at its end
        if (self.overhead > 0 or self.chunk > limit) and head_bytes(self.url, self.headers) > limit:
            raise refusals.head_too_large(limit)
        if len(self.headers) > self.bounds.max_headers:
            raise refusals.too_many_headers(len(self.headers), self.bounds.max_headers)
        check_head(self.headers, version)
        if len(self.tasks) >= self.bounds.max_requests and self.url not in PROBES:
            raise refusals.too_busy()
        if len(self.pipeline) >= self.bounds.max_pipelined:
            raise refusals.malformed(f"more than {self.bounds.max_pipelined} requests wait for their answers")

    def _note_address(self) -> None:
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        self.scope["raw_path"] = self.root_path.encode("ascii") + url.path
        self.scope["query_string"] = url.query or b""

    def _cycle(self, *, keep_alive: bool) -> Cycle:
        return Cycle(
            scope=self.scope, transport=self.transport, flow=self.flow, logger=self.logger,
            access_logger=self.access_logger, access_log=self.access_log, default_headers=self.state.default_headers,
            message_event=asyncio.Event(), expect_100_continue=self.expect_100_continue, keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )  # fmt: skip

    def _begin(self, cycle: Cycle) -> None:
        """Run the application, or queue the request behind those that came before it."""
        self.cycle = cycle
        self.unanswered += 1
        if self.unanswered == 1:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def on_body(self, body: bytes) -> None:
        size = len(body)
        self.moved_at = self.load.now
        self.received += size
        self.overhead = -self.chunk
        super().on_body(body)
        if self.stage == BODY and self.cycle.response_complete:
            self.discarded += size
            if self.discarded > self.bounds.max_discarded_bytes:
                self.end()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.stage != BODY:
            return
        self.stage, self.since = WAITING, self.load.now
        self.overhead = -self.chunk
        if self.state.leaving_since is not None and self.unanswered:
            self.stage = DEAF  # what is asked behind the last answer is never executed

    def on_response_complete(self) -> None:
        self.state.total_requests += 1
        self.unanswered -= 1
        if self.stage == ENDING or self.wire.is_closing():
            return
        self.flow.resume_reading()
        if self.stage == WAITING or self.pipeline:
            self.since = self.moved_at = self.load.now
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.last_words is not None:
            self.say_last_words()

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


def _refusal_for(err: httptools.HttpParserError) -> Refusal:
    """Return why: a check of ours, or llhttp's own words; what else fails in our callbacks is the address."""
    if isinstance(err.__context__, Refusal):
        return err.__context__
    return refusals.malformed("its address" if isinstance(err, httptools.HttpParserCallbackError) else str(err))
