"""What a connection may send and how many there may be is bounded; who is refused reads why, as a problem."""

import contextlib
import time

import pytest

from foretell.core.asgi import BodyLimit
from foretell.webserver.state import ROOM_TO_REFUSE
from tests.webserver.servers import GOOD, Echo, Wire, served, stock, wait_until

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def limited(echo: Echo) -> BodyLimit:
    return BodyLimit(echo, max_bytes_for=lambda method, path: 1_000)


# --- heads --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_one_line", [True, False])
@pytest.mark.parametrize("is_in_one_go", [True, False])
def test_a_head_that_is_too_large_is_answered_431(is_one_line: bool, is_in_one_go: bool) -> None:
    filling = b"X: " + b"x" * 4_000 if is_one_line else b"\r\n".join([b"X: " + b"x" * 95] * 40)
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + filling
    with served(max_head_bytes=2_000) as server:
        wire = server.wire()
        for piece in [head] if is_in_one_go else [head[:1_000], head[1_000:]]:
            wire.send(piece)
            time.sleep(0.02)

        assert wire.answer().problem["code"] == "headers_too_large"
        assert wire.ends()
        assert server.app.started == []


def test_a_whole_head_that_is_too_large_is_answered_431() -> None:
    with served(max_head_bytes=2_000) as server:
        answer = server.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2_000 + b"\r\n\r\n")

        assert answer.status == 431
        assert server.app.started == []


def test_an_address_that_is_too_long_is_answered_431() -> None:
    with served(max_head_bytes=2_000) as server:
        assert server.ask(b"GET /" + b"x" * 2_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n").status == 431


def test_a_large_body_behind_a_small_head_is_none_of_it() -> None:
    with served(max_head_bytes=2_000) as server:
        assert server.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9_000).body == b"9000"


def test_too_many_headers_are_answered_431() -> None:
    with served(max_headers=10) as server:
        answer = server.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 20 + b"\r\n")

        assert answer.problem["detail"] == "The request has 21 headers; at most 10 are taken."
        assert answer.is_last
        assert server.app.started == []


def test_the_control_takes_them_all() -> None:
    with stock() as server:
        assert server.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 5_000 + b"\r\n").status == 200
        assert server.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n").status == 200


# --- bodies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endless", [b"1;" + b"x" * 4_000, b"0\r\n" + b"X: 7\r\n" * 700])
def test_chunk_extensions_and_trailers_without_end_are_refused(endless: bytes) -> None:
    with served(max_head_bytes=2_000) as server:
        wire = server.wire(CHUNKED + endless)
        while wire.stays_open(for_s=0.02):
            wire.send(endless[-996:])

        assert wire.answer().status == 431
        assert wire.ends()


def test_trailers_are_not_among_the_headers() -> None:
    request = CHUNKED + b"1\r\nx\r\n0\r\nAuthorization: Bearer other\r\n\r\n"
    with served() as server, stock() as control:
        assert server.ask(request).body == control.ask(request).body == b"1"
        assert b"authorization" not in dict(server.app.started[0]["headers"])
        assert b"authorization" in dict(control.app.started[0]["headers"])


def test_endless_chunks_are_answered_413() -> None:
    with served(limited(Echo())) as server:
        wire = server.wire(CHUNKED)
        with contextlib.suppress(OSError):  # the server reads on for a moment only
            while wire.stays_open(for_s=0):
                wire.send(b"ff\r\n" + b"x" * 255 + b"\r\n")

        assert wire.answer().status == 413


def test_a_declared_10_gb_is_answered_413_and_nothing_of_it_is_taken() -> None:
    echo = Echo()
    with served(limited(echo)) as server:
        wire = server.wire(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n" + b"x" * 100_000)

        assert wire.answer().status == 413
        assert wire.ends()
        assert echo.started == []


def test_a_small_body_that_nobody_wants_does_not_cost_the_connection() -> None:
    with served() as server:
        wire = server.wire(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        assert wire.answer().body == b"early"
        wire.send(b"xxxx" + GOOD)

        assert wire.answer().body == b"0"


def test_a_large_one_does() -> None:
    with served(max_discarded_bytes=10_000) as server:
        wire = server.wire(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n")
        assert wire.answer().body == b"early"
        wire.send(b"x" * 100_000)

        assert wire.ends()


# --- connections --------------------------------------------------------------------------------------------------------


def test_connections_beyond_the_cap_are_answered_503_at_once() -> None:
    with served(max_connections=2) as server:
        first = server.wire(GOOD)
        assert first.answer().status == 200
        server.wire()
        wait_until(lambda: server.load.connections == 2)

        refused = server.wire()

        answer = refused.answer()
        assert answer.problem["code"] == "unavailable"
        assert answer.headers["retry-after"] == "1"
        assert refused.ends()
        first.send(GOOD)
        assert first.answer().status == 200


def test_a_refused_request_reads_the_answer_and_no_reset() -> None:
    with served(max_connections=1) as server:
        assert server.wire(GOOD).answer().status == 200

        wire = server.wire(GOOD + b"x" * 200_000)

        assert wire.answer().status == 503
        assert wire.ends()


def test_a_flood_beyond_that_is_dropped_without_a_word() -> None:
    with served(max_connections=4, linger_s=5) as server:
        wires = [server.wire() for _ in range(4 + ROOM_TO_REFUSE + 1)]

        assert _is_dropped(wires[-1])
        assert wires[-2].answer().status == 503


def test_a_client_has_its_own_cap() -> None:
    with served(max_connections_per_client=1, unlimited=()) as server:
        first = server.wire(GOOD)
        assert first.answer().status == 200

        assert server.ask().problem["detail"].startswith("You have 1 connections open")
        first.close()
        wait_until(lambda: server.load.connections == 0)
        assert server.ask().status == 200


def test_a_proxy_has_none() -> None:
    with served(max_connections_per_client=1) as server:
        assert [server.ask().status for _ in range(3)] == [200, 200, 200]


def test_requests_beyond_the_cap_are_answered_503_and_probes_are_not() -> None:
    with served(max_requests=1) as server:
        slow = server.wire(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert server.app.arrived.wait(5)

        answer = server.ask()

        assert answer.problem["code"] == "unavailable"
        assert answer.headers["retry-after"] == "1"
        assert server.ask(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
        server.app.let_go.set()
        assert slow.answer().status == 200


def test_the_controls_503_is_no_problem() -> None:
    with stock(limit_concurrency=1) as server:
        answer = server.ask()

        assert answer.status == 503
        assert answer.headers["content-type"].startswith("text/plain")


# --- pipelines ----------------------------------------------------------------------------------------------------------


def test_requests_in_one_go_are_answered_in_order() -> None:
    with served() as server:
        wire = server.wire(
            b"".join(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % n + b"x" * n for n in range(9))
        )

        assert [int(wire.answer().body) for _ in range(9)] == list(range(9))


def test_too_many_at_once_are_refused_behind_those_that_are_answered() -> None:
    with served(max_pipelined=4) as server:
        wire = server.wire(GOOD * 10_000)
        answers = [wire.answer() for _ in range(6)]

        assert [answer.status for answer in answers] == [200] * 5 + [400]
        assert wire.ends()


def test_nonsense_behind_a_request_does_not_answer_that_one() -> None:
    with served() as server, stock() as control:
        nonsense = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nNONSENSE\r\n\r\n"
        wire, other = server.wire(nonsense), control.wire(nonsense)
        assert control.app.arrived.wait(5)
        assert server.app.arrived.wait(5)
        server.app.let_go.set()

        assert [wire.answer().status, wire.answer().status] == [200, 400]
        assert other.answer().status == 400  # the control answers the first request with what was wrong with the second


def _is_dropped(wire: Wire) -> bool:
    try:
        return wire.socket.recv(1) == b""
    except ConnectionResetError:
        return True
