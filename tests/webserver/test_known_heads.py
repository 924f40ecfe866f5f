"""A head that came before is not parsed again, and nothing else changes by it: whatever comes, however it is cut, is read as by the parser."""

import asyncio
import random
from typing import Any

import pytest

from foretell.asgi import Receive, Scope, Send
from foretell.webserver import known_heads
from foretell.webserver.bounds import Bounds
from foretell.webserver.known_heads import KnownHeads
from foretell.webserver.overload import Load
from foretell.webserver.protocol import Protocol
from foretell.webserver.server import configured
from foretell.webserver.state import State
from foretell.webserver.whole_answers import MEMO
from tests.webserver.servers import answer

SEEDS = range(60)
POST = b"POST /a?b=c HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nContent-Length: %d\r\n\r\n%b"
PIECES = (
    *(
        POST % (len(body), body)
        for body in (b"", b"x", b"yy", b"\r\n", b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: b\r\n\r\n")
    ),
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
)
ODD = (b"\r\n", b"G", b"POST", b"GET / HTTP/1.1\r\nHo")


class Recorder:
    """Keeps what an application is told of each request."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.memos: list[Any] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        body = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        self.memos.append(scope["extensions"][MEMO])
        told = {name: scope[name] for name in ("method", "path", "query_string", "http_version", "client")}
        self.requests.append(({**told, "headers": list(scope["headers"]), "state": dict(scope["state"])}, body))
        scope["headers"].append((b"x-mine", b"of this request alone"))
        scope["state"]["mine"] = True
        await answer(send, body)


class Wire(asyncio.Transport):
    """A transport without a network: it keeps what is written."""

    def __init__(self, client: str) -> None:
        super().__init__({"peername": (client, 1), "sockname": ("192.0.2.2", 2)})
        self.written, self.is_closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Line:
    """One connection to a recorder; `beside` another one, of the same process."""

    def __init__(self, *, is_eager: bool = False, client: str = "192.0.2.1", beside: "Line | None" = None) -> None:
        self.app, self.wire, bounds = Recorder(), Wire(client), Bounds()
        self.app.is_eager = is_eager  # type: ignore[attr-defined]
        config = configured(self.app, bounds)
        config.load()
        self.state: State = beside.state if beside is not None else State(bounds, Load())
        self.protocol = Protocol(config, self.state, {}, asyncio.get_running_loop())
        self.protocol.connection_made(self.wire)

    async def feed(self, *reads: bytes) -> None:
        for data in reads:
            self.protocol.data_received(data)
            for _ in range(40):  # a request that waits has its turn, as have those behind it
                await asyncio.sleep(0)


class Forgetful(KnownHeads):
    def find(self, data: bytes) -> None:
        return None


async def _forgetful(reads: list[bytes]) -> Line:
    """The control: a connection that knows no head."""
    line = Line()
    line.protocol.known_heads = Forgetful()
    await line.feed(*reads)
    return line


async def _experienced(*, is_eager: bool) -> Line:
    """A connection to a process that has met all that is sent here."""
    other = Line()
    for piece in PIECES:
        await other.feed(piece, piece)
    return Line(is_eager=is_eager, beside=other)


def _reads(random_: random.Random) -> list[bytes]:
    """Return whole requests one by one, sometimes several at once, cut anywhere, or with something odd between them."""
    found: list[bytes] = []
    for _ in range(random_.randint(2, 12)):
        data = random_.choice(PIECES)
        kind = random_.random()
        if kind < 0.15:
            data += random_.choice(PIECES)
        elif kind < 0.25:
            data += random_.choice(ODD)
        elif kind < 0.3:
            data = random_.choice(ODD) + data
        if kind > 0.9:
            cut = random_.randrange(len(data))
            found += [data[:cut], data[cut:]]
        else:
            found.append(data)
    return [data for data in found if data]


@pytest.mark.parametrize("is_eager", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_connection_tells_its_application_the_same_with_known_heads_and_without(seed: int, is_eager: bool) -> None:
    async def compare() -> None:
        reads = _reads(random.Random(seed))  # noqa: S311  no secret
        ours, control = await _experienced(is_eager=is_eager), await _forgetful(reads)
        await ours.feed(*reads)

        assert ours.app.requests == control.app.requests
        assert _without_ids(ours.wire.written) == _without_ids(control.wire.written)
        assert ours.wire.is_closed == control.wire.is_closed

    asyncio.run(compare())


def _without_ids(written: bytes) -> list[bytes]:
    return [line for line in written.split(b"\r\n") if not line.startswith((b"x-request-id", b'{"type"'))]


def test_a_head_that_comes_again_and_again_is_known_and_what_is_kept_with_it_is_found() -> None:
    async def ask() -> Line:
        line = Line()
        await line.feed(*(POST % (len(body), body) for body in (b"w", b"x", b"y", b"yy", b"z")))
        return line

    line = asyncio.run(ask())

    assert [body for _, body in line.app.requests] == [b"w", b"x", b"y", b"yy", b"z"]
    once, twice, again, other, at_last = line.app.memos
    assert twice is again is at_last
    assert once is not twice  # what comes once is not kept
    assert other is not twice


def test_a_request_behind_half_a_request_is_never_taken_for_a_known_one() -> None:
    """Security: else a client whose bytes a proxy puts behind another's could choose where a request begins."""

    async def ask() -> Line:
        line = Line()
        await line.feed(POST % (1, b"v"), POST % (1, b"w"), POST % (1, b"x"), b"X", POST % (1, b"y"))
        return line

    line = asyncio.run(ask())

    assert len(line.app.requests) == 3
    assert b"400 Bad Request" in line.wire.written


def test_another_connection_knows_it_too_and_stays_who_it_is() -> None:
    """Security: limits, the audit and trusted proxies go by the client's address, which is in no head."""

    async def ask() -> tuple[Line, Line]:
        one = Line(client="192.0.2.1")
        await one.feed(PIECES[0], PIECES[0])
        other = Line(client="198.51.100.7", beside=one)
        await other.feed(PIECES[0])
        return one, other

    one, other = asyncio.run(ask())

    assert other.app.memos[0] is one.app.memos[1]
    ((told, _),) = other.app.requests
    assert told["client"] == ("198.51.100.7", 1)


def test_a_process_that_leaves_answers_a_known_head_for_the_last_time() -> None:
    async def ask() -> Line:
        line = Line()
        await line.feed(PIECES[0], PIECES[0])
        line.state.leaving_since = 0.0
        await line.feed(PIECES[0], PIECES[0])
        return line

    line = asyncio.run(ask())

    assert len(line.app.requests) == 3
    assert line.wire.written.count(b"connection: close") == 1


@pytest.mark.parametrize(
    ("data", "n_body_bytes"),
    [
        (b"GET / HTTP/1.1\r\n\r\n\r\n", 0),
        (b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", 0),
        (b"GET /" + b"a" * 2_100 + b"\r\n\r\n", 0),
    ],
    ids=["a line break behind it", "line breaks before it", "a long one"],
)
def test_a_head_whose_end_is_not_certain_or_that_is_long_is_not_kept(data: bytes, n_body_bytes: int) -> None:
    heads = KnownHeads()
    met(heads, data, n_body_bytes)

    assert heads.find(data) is None


def met(heads: KnownHeads, data: bytes, n_body_bytes: int) -> None:
    for _ in range(2):
        heads.keep(data, {"headers": [], "state": {}}, n_body_bytes)


def test_only_so_many_heads_are_kept_and_those_go_first_that_nobody_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_heads, "MAX_HEADS", 10)
    monkeypatch.setattr(known_heads, "MAX_MET", 10)
    heads, asked = KnownHeads(), [POST % (size, b"x" * size) for size in range(60)]

    for size, data in enumerate(asked):
        met(heads, data, size)
        assert heads.find(asked[0]) is not None

    assert heads.find(asked[1]) is None
    assert sum(heads.find(data) is not None for data in asked) <= 20
