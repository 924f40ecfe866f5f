"""WebSockets have a cap on everything a client could pile up, and end with a code that says why."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.core.asgi import BodyLimit
from foretell.core.asgi_handler import WithoutWebSockets
from foretell.core.health import Health
from foretell.core.request_ids import RequestIDs
from tests.webserver.servers import GOOD, SOON_S, Echo, Served, served, stock, wait_until

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PING = b"\x89\xfd\x00\x00\x00\x00" + b"x" * 125
EMPTY_CONTINUATION = b"\x00\x80\x00\x00\x00\x00"
START_OF_TEXT = b"\x01\x80\x00\x00\x00\x00"


class Echoing(Echo):
    """Answers each message with itself; `wait` waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.ended_with: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await super().__call__(scope, receive, send)
            return
        self.started.append(scope)
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            if message["text"] == "wait":
                self.arrived.set()
                await self._wait()
            await send({"type": "websocket.send", "text": message["text"]})
        self.ended_with.append(message["code"])


def dial(server: Served) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/", compression=None, close_timeout=1, proxy=None)


def test_messages_are_answered_in_order() -> None:
    with served(Echoing()) as server, dial(server) as ws:
        for number in range(50):
            ws.send(str(number))

        assert [ws.recv(SOON_S) for _ in range(50)] == [str(number) for number in range(50)]
        assert server.load.requests == 1


@pytest.mark.parametrize(
    "handshake",
    [
        HANDSHAKE.replace(b"Host: a\r\n", b"Host: a\r\nContent-Length: 3\r\n") + b"abc",
        HANDSHAKE.replace(b"Host: a\r\n", b"Host: a\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
        HANDSHAKE.replace(b"Host: a\r\n", b"Host: a\r\nX-Long: " + b"x" * 10_000 + b"\r\n"),
        HANDSHAKE.replace(b"GET /", b"GET /" + b"x" * 10_000),
    ],
    ids=["a body", "chunks", "a long header", "a long address"],
)
def test_a_handshake_that_cannot_be_read_is_answered_and_ends(handshake: bytes) -> None:
    """Security: the control waits for ever, for a stranger's handshake that has no deadline."""
    with served(Echoing()) as server, stock(Echoing(), ws="websockets-sansio") as control:
        wire, other = server.wire(handshake), control.wire(handshake)

        assert wire.answer().problem["code"] == "bad_request"
        assert wire.ends()
        assert server.load.refused == {"bad_request": 1}
        assert other.stays_open(for_s=0.2)


def test_a_message_that_is_too_large_closes_with_1009() -> None:
    with served(Echoing(), max_message_bytes=1_000) as server, dial(server) as ws:
        ws.send("x" * 1_001)

        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(SOON_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_a_message_in_too_many_frames_closes_with_1009() -> None:
    with served(Echoing(), max_fragments=10) as server, stock(Echoing(), ws="websockets-sansio") as control:
        frames = START_OF_TEXT + EMPTY_CONTINUATION * 20
        wire, other = server.wire(HANDSHAKE), control.wire(HANDSHAKE)
        for each in (wire, other):
            assert b"101" in each.socket.recv(1_000)
            each.send(frames)

        assert wire.socket.recv(4)[2:] == (1009).to_bytes(2, "big")
        assert other.stays_open(for_s=0.3)


def test_a_client_that_sends_pings_and_reads_no_pongs_is_read_no_more() -> None:
    with served(Echoing(), write_gap_s=0.5) as server, stock(Echoing(), ws="websockets-sansio") as control:
        assert not _takes_endless_pings(server)
        assert _takes_endless_pings(control)
        wait_until(lambda: server.load.connections == 0)


def test_who_is_refused_leaves_no_connection_counted() -> None:
    with served(WithoutWebSockets(Echoing()), max_connections_per_client=1, unlimited=()) as server:
        for _ in range(3):
            with pytest.raises(InvalidStatus) as refused:
                dial(server)
            assert refused.value.response.status_code == 404
            wait_until(lambda: server.load.connections == 0)


def test_a_websocket_counts_for_its_client() -> None:
    with served(Echoing(), max_connections_per_client=1, unlimited=()) as server:
        with dial(server):
            assert server.ask().status == 503
        wait_until(lambda: server.load.connections == 0)
        assert server.ask().status == 200


def test_an_unknown_address_is_refused_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    with served(WithoutWebSockets(Echo())) as server:
        answer = server.ask(HANDSHAKE)

        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert "rror" not in caplog.text


def test_a_server_without_the_extension_closes_the_handshake() -> None:
    sent = _sent_by(WithoutWebSockets(Echo()), {"type": "websocket", "extensions": {}})

    assert sent == [{"type": "websocket.close"}]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda app: BodyLimit(app, max_bytes_for=lambda method, path: 0),
        RequestIDs,
        lambda app: Health(app, required={}, advisory={}),
    ],
    ids=["BodyLimit", "RequestIDs", "Health"],
)
def test_what_stands_before_the_application_hands_websockets_on_unchanged(wrap: Any) -> None:
    seen: list[tuple[Any, ...]] = []

    async def app(*call: Any) -> None:
        seen.append(call)

    scope: Scope = {"type": "websocket", "path": "/livez", "method": "GET", "headers": []}
    _sent_by(wrap(app), scope)

    assert seen[0][0] is scope


# --- the end ------------------------------------------------------------------------------------------------------------


def test_a_stop_answers_what_has_come_and_closes_with_1012() -> None:
    with served(Echoing()) as server, dial(server) as ws:
        ws.send("wait")
        assert server.app.arrived.wait(SOON_S)

        server.begin_to_stop()
        wait_until(lambda: server.server.state.leaving_since is not None)
        server.app.let_go.set()

        assert ws.recv(SOON_S) == "wait"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(SOON_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        server.stop()
        assert server.app.ended_with == [1012]


def test_the_control_drops_what_has_come() -> None:
    with stock(Echoing(), ws="websockets-sansio") as server, dial(server) as ws:
        ws.send("wait")
        assert server.app.arrived.wait(SOON_S)

        server.begin_to_stop()

        with pytest.raises(ConnectionClosed):
            ws.recv(SOON_S)


def test_nobody_upgrades_while_it_stops() -> None:
    with served(Echoing()) as server:
        wire = server.wire(GOOD)
        assert wire.answer().status == 200
        server.begin_to_stop()
        wait_until(lambda: server.server.state.leaving_since is not None)
        wire.send(HANDSHAKE)

        assert wire.answer().status == 503


def test_an_upgrade_behind_a_request_is_refused_behind_its_answer() -> None:
    with served(Echoing()) as server:
        wire = server.wire(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert server.app.arrived.wait(SOON_S)
        wire.send(HANDSHAKE)
        server.app.let_go.set()

        assert [wire.answer().status, wire.answer().status] == [200, 400]


def _takes_endless_pings(server: Served) -> bool:
    """Whether 4 MB of pings are read while nobody reads the pongs."""
    wire = server.wire(buffer_bytes=4_096)
    wire.send(HANDSHAKE)
    wire.socket.recv(1_000)
    wire.socket.settimeout(1.0)
    try:
        for _ in range(1_000):
            wire.send(PING * 32)
    except OSError:  # the pipe is full, or the server has dropped it
        return False
    return True


def _sent_by(app: ASGIApp, scope: Scope) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def call() -> None:
        await app(scope, receive, send)

    asyncio.run(call())
    return sent
