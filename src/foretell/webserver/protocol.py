"""HTTP/1.1 within bounds: what the parser finds is counted and checked, then handed to the application.

Foretell takes from uvicorn how a request is run and an answer written (`RequestResponseCycle`, `FlowControl`), and how a process is
kept; what it lets clients do is decided here.
"""

import asyncio
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from foretell.webserver import refusals
from foretell.webserver.connection import BODY, DEAF, ENDING, HEAD, WAITING, Connection
from foretell.webserver.cycle import Cycle
from foretell.webserver.eager import begin
from foretell.webserver.framing import check_authority, check_head, head_bytes
from foretell.webserver.known_heads import KnownHead
from foretell.webserver.refusals import Refusal
from foretell.webserver.whole_answers import extensions, header_lines

PROBES = (b"/livez", b"/readyz")


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
        self.is_eager: bool = getattr(self.app, "is_eager", False)
        self.is_between = True  # the parser has seen no byte of another message
        self.known_heads = self.state.known_heads
        self.may_be_known = False  # whether this head says all, and nothing that holds only once

    def data_received(self, data: bytes) -> None:
        if self.stage == WAITING and self.is_between and not self.unanswered and self._is_open:
            found = self.known_heads.find(data)
            if found is not None:
                self._begin_again(*found)
                return
        if self.stage >= DEAF:
            return
        self._read(data)

    def _read(self, data: bytes) -> None:
        is_start = self.stage == WAITING and self.is_between
        if self.stage == WAITING:
            self.stage, self.since, self.overhead = HEAD, self.load.now, 0
        self._parse(data)
        if is_start and self.is_between and self.stage == WAITING and self.unanswered == 1 and self.may_be_known:
            self.known_heads.keep(data, cast("dict[str, Any]", self.scope), self.received)
        self._begin_next()

    def _parse(self, data: bytes) -> None:
        self.chunk = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as err:
            self._upgrade(data[err.args[0] :])
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

    @property
    def _is_open(self) -> bool:
        """Whether any request is taken, and its connection kept."""
        return self.state.leaving_since is None and len(self.tasks) < self.bounds.max_requests

    # --- running the application -------------------------------------------------------------------------------------

    def _begin_again(self, head: KnownHead, body: bytes) -> None:
        """Run the application for a request whose head came before, and is known to be good."""
        self.cycle = Cycle(self, head.scope(self), keep_alive=True, body=body)
        self.unanswered = 1
        self._run(self.cycle)

    def _begin_next(self) -> None:
        """Run the application for the first request that waits, unless another is under way."""
        if self.pipeline and self.unanswered == len(self.pipeline):
            cycle, _ = self.pipeline.pop()
            self._run(cast(Cycle, cycle))

    def _run(self, cycle: Cycle) -> None:
        """Optimization: an eager application answers most requests here and now; a task is made where it has to wait."""
        self.running = cycle
        if not self.is_eager or cycle.more_body:
            self._start_asgi_task(cycle, self.app)
            return
        task = begin(self.loop, cycle.run_asgi(self.app))
        if task is not None:
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)

    # --- what the parser finds --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.is_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        self._check_head(version)
        scope["extensions"] = extensions()
        scope["method"] = parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        if parser.should_upgrade() and scope["method"] != "CONNECT":
            return  # `_upgrade` goes on from here
        self._note_address()
        self.headers = []  # Security: trailers end here, not among the headers that the application trusts
        self.is_fresh = False
        self.stage, self.since = BODY, self.load.now
        self.moved_at = self.since
        self.received = self.discarded = 0
        self.overhead = -self.chunk
        keeps_alive = version == "1.1" and parser.should_keep_alive() and self.state.leaving_since is None
        self.may_be_known = keeps_alive and not self.expect_100_continue
        self._queue(Cycle(self, scope, keep_alive=keeps_alive, expects_continue=self.expect_100_continue))

    def _queue(self, cycle: Cycle) -> None:
        """Let a request wait for the end of what was read, where its body may be, and for those that came before it."""
        self.cycle = cycle
        self.unanswered += 1
        if self.unanswered > 1:
            self.flow.pause_reading()
        self.pipeline.appendleft((cycle, self.app))

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
        if self.unanswered > self.bounds.max_pipelined:
            raise refusals.malformed(f"more than {self.bounds.max_pipelined} requests wait for their answers")

    def _note_address(self) -> None:
        url = httptools.parse_url(self.url)
        if url.host is not None:
            check_authority(self.url, self.headers)
        path = url.path.decode("ascii")
        self.scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        self.scope["raw_path"] = self.root_path.encode("ascii") + url.path
        self.scope["query_string"] = url.query or b""

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
        self.is_between = True
        if self.parser.should_upgrade():
            return
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
            self.running, app = self.pipeline.pop()
            self._start_asgi_task(self.running, app)
        elif self.last_words is not None:
            self.say_last_words()

    def _upgrade(self, rest: bytes) -> None:
        """Hand the connection to another protocol, or go on without it; `rest` came behind the head."""
        if not self._should_upgrade():
            self._stay(rest)
        elif self.state.leaving_since is not None:
            self.refuse(refusals.too_busy())
        elif self.unanswered:
            self.refuse(refusals.malformed("an upgrade behind a request that is not answered yet"))
        else:
            self.transport = self.wire  # another protocol's from here on
            self.handle_websocket_upgrade()
            cast(Any, self.wire.get_protocol()).client_entry = self.client_entry

    def _stay(self, rest: bytes) -> None:
        """Read a head again without its wish for a protocol that is not spoken here (RFC 9110, 7.8).

        The parser would take the request's body for bytes of that protocol.
        """
        version = self.parser.get_http_version().encode()
        headers = [header for header in self.headers if header[0] != b"upgrade"]
        self.parser = new_parser(self)
        self._parse(
            b"%b %b HTTP/%b\r\n%b\r\n%b"
            % (self.scope["method"].encode(), self.url, version, header_lines(headers), rest)
        )


def _refusal_for(err: httptools.HttpParserError) -> Refusal:
    """Return why: a check of ours, or llhttp's own words; what else fails in our callbacks is the address."""
    if isinstance(err.__context__, Refusal):
        return err.__context__
    return refusals.malformed("its address" if isinstance(err, httptools.HttpParserCallbackError) else str(err))


def new_parser(protocol: Protocol) -> httptools.HttpRequestParser:
    """Return a parser as uvicorn sets it up: what comes behind a last request is found, and not an error before its answer."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser
