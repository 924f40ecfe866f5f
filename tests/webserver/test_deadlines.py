"""A client that is slow, or silent, is told so and let go; meanwhile everybody else is served. Stock uvicorn waits for ever."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from foretell.asgi import Receive, Scope, Send
from tests.webserver.servers import Echo, Served, served, stock, wait_until

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
DECLARED = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
WAIT_S = 0.4  # for what does not happen

Serve = Callable[..., AbstractContextManager[Served]]


def impatient() -> AbstractContextManager[Served]:
    return served(head_s=0.1, body_gap_s=0.1, idle_s=0.1)


@pytest.mark.parametrize("start", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ", b"\r\n\r\n"])
def test_a_head_that_does_not_end_is_answered_408(start: bytes) -> None:
    with impatient() as server:
        slow = server.wire(start)
        good = server.ask()

        assert good.status == 200
        assert slow.answer().problem["code"] == "timeout"
        assert slow.ends()
        assert server.load.refused == {"timeout": 1}


def test_dripping_does_not_prolong_a_head() -> None:
    with impatient() as server:
        slow = server.wire(b"GET / HTTP/1.1\r\n")
        while slow.stays_open(for_s=0.02):
            slow.send(b"X")

        assert slow.answer().status == 408


def test_a_second_head_has_its_own_deadline() -> None:
    with served(head_s=0.1) as server:
        wire = server.wire(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.answer().status == 200
        assert wire.stays_open(for_s=WAIT_S)
        wire.send(b"GET / HT")

        assert wire.answer().status == 408


def test_a_silent_connection_is_closed_without_a_word() -> None:
    with impatient() as server:
        assert server.wire().ends()


def test_an_idle_connection_is_closed() -> None:
    with served(idle_s=0.1) as server:
        wire = server.wire(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

        assert wire.answer().status == 200
        assert wire.ends()


@pytest.mark.parametrize("start", [DECLARED + b"x", CHUNKED, CHUNKED + b"1\r\nx\r\n", CHUNKED + b"ff\r\n"])
def test_a_body_that_does_not_go_on_is_answered_408(start: bytes) -> None:
    with impatient() as server:
        slow = server.wire(start)
        good = server.ask()

        assert good.status == 200
        assert slow.answer().problem["code"] == "timeout"
        assert slow.ends()
        wait_until(lambda: server.app.disconnects == 1)  # the application lets go of it too


def test_dripping_does_not_prolong_a_body_for_ever() -> None:
    with served(body_s=0.2, body_bytes_per_s=1_000) as server:
        slow = server.wire(DECLARED)
        while slow.stays_open(for_s=0.02):
            slow.send(b"x")

        assert slow.answer().status == 408


def test_a_large_body_has_time_for_its_size() -> None:
    with served(body_s=0.1, body_bytes_per_s=10) as server:
        wire = server.wire(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n")
        for _ in range(6):
            wire.send(b"x" * 5)
            time.sleep(0.05)

        assert wire.answer().body == b"30"


def test_chunk_extensions_are_no_progress() -> None:
    with impatient() as server:
        slow = server.wire(CHUNKED + b"5")
        while slow.stays_open(for_s=0.02):
            slow.send(b";a=b")

        assert slow.answer().status == 408


def test_an_application_that_thinks_has_the_time_it_needs() -> None:
    with impatient() as server:
        wire = server.wire(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
        assert wire.stays_open(for_s=WAIT_S)
        server.app.let_go.set()

        assert wire.answer().body == b"1"


def test_who_waits_for_100_continue_is_not_slow() -> None:
    """The application reads late: until then, the client was asked to wait."""

    with impatient() as server:
        wire = server.wire(b"POST /slow HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        assert wire.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.send(b"x")
        server.app.let_go.set()

        assert wire.answer().body == b"1"


def test_a_client_that_does_not_read_its_answer_is_dropped() -> None:
    with served(write_gap_s=0.1) as server:
        server.wire(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n", buffer_bytes=4_096)
        wait_until(lambda: server.load.connections == 1)

        wait_until(lambda: server.load.connections == 0)


def test_a_client_that_reads_slowly_gets_its_whole_answer() -> None:
    with served(write_gap_s=0.3) as server:
        wire = server.wire(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", buffer_bytes=65_536)
        time.sleep(0.2)

        assert len(wire.answer().body) == 5_000_000


class Blocking(Echo):
    """Holds the event loop up, as nothing should, for longer than any deadline."""

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrived.set()
        time.sleep(0.8)  # noqa: ASYNC251
        await super()._read(scope, receive, send)


def test_nobody_was_slow_while_the_process_stood_still() -> None:
    with served(Blocking(), head_s=0.5, body_gap_s=0.5) as server:
        half = server.wire(b"GET /good HTTP/1.1\r\n")
        server.wire(b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n")
        assert server.app.arrived.wait(5)
        half.send(b"Host: a\r\n\r\n")

        assert half.answer().status == 200


@pytest.mark.parametrize("start", [b"", b"GET / HT", DECLARED + b"x", CHUNKED, CHUNKED + b"ff\r\n"])
def test_the_control_waits_for_ever(start: bytes) -> None:
    with stock() as server:
        assert server.wire(start).stays_open(for_s=WAIT_S)
