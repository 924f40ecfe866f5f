"""What two readers could understand differently is refused, so that no client's bytes become another's request."""

import time

import pytest

from foretell.asgi import Receive, Scope, Send
from tests.webserver.servers import GOOD, Echo, served, stock

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"

AMBIGUOUS = {
    "two lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "the same length twice": HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": HEAD + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": HEAD + b"Content-Length: +3\r\n\r\nabc",
    "no length": HEAD + b"Content-Length:\r\n\r\nabc",
    "a length of 2**64": HEAD + b"Content-Length: 18446744073709551616\r\n\r\nabc",
    "length and chunks": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "an unknown coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "almost chunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked in the middle": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two codings in one": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two codings in two": HEAD + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded header": HEAD + b"X: a\r\n b\r\n\r\n",
    "bare line feeds": b"POST / HTTP/1.1\nHost: a\n\n",
    "a bare carriage return": HEAD + b"X: a\rY: b\r\n\r\n",
    "NUL in a header": HEAD + b"X: a\x00b\r\n\r\n",
    "a chunk that is longer than it says": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    "an endless number": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an address beyond ASCII": "GET /ä HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "no address": b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
    "a tunnel that is upgraded": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "an address of another host": b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "an address of another port": b"GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "an address of somebody at the host": b"GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
}
TAKEN_BY_UVICORN = [
    "two codings in one",
    "two codings in two",
    "chunks in HTTP/1.0",
    "two hosts",
    "no host",
    "no version",
    "an address of another host",
]


@pytest.mark.parametrize("request_", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_it_is_answered_400_and_the_connection_ends(request_: bytes) -> None:
    with served() as server:
        wire = server.wire(request_)

        assert wire.answer().problem["code"] == "bad_request"
        assert wire.ends()
        assert server.load.refused == {"bad_request": 1}


@pytest.mark.parametrize("name", TAKEN_BY_UVICORN)
def test_the_control_takes_some_of_it(name: str) -> None:
    with stock() as server:
        assert server.ask(AMBIGUOUS[name]).status == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
        HEAD + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\nAccept: c\r\n\r\n",
        b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET HTTP://A:8000/?b HTTP/1.1\r\nHost: a:8000\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
    ],
)
def test_what_is_unusual_and_clear_is_answered(request_: bytes) -> None:
    with served() as server:
        assert server.ask(request_).status == 200


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"


@pytest.mark.parametrize("cut", [0, 30, -5, -2])
def test_an_upgrade_that_is_not_taken_leaves_the_request_as_it_is(cut: int) -> None:
    """So asks Java's own client, at its first request. The control answers as if there were no body."""
    request = HEAD + UPGRADE + b"Content-Length: 3\r\n\r\nabc"
    with served() as server, stock() as control:
        wire = server.wire(request[:cut])
        time.sleep(0.02)
        wire.send(request[cut:])
        assert wire.answer().body == b"3"
        wire.send(request + HEAD + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n" + GOOD)

        assert [wire.answer().body for _ in range(3)] == [b"3", b"2", b"0"]
        assert control.ask(request).body == b"0"


def test_a_length_that_is_too_long_takes_the_next_request_for_its_body() -> None:
    """It is the sender's own next request; nobody else's bytes are on this connection."""
    with served(body_gap_s=0.1) as server:
        wire = server.wire(HEAD + b"Content-Length: 100\r\n\r\nabc" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

        assert wire.answer().status == 408
        assert wire.ends()


def test_a_length_that_is_too_short_leaves_what_is_no_request() -> None:
    with served() as server:
        wire = server.wire(HEAD + b"Content-Length: 1\r\n\r\nabc\r\n\r\n")

        assert [wire.answer().status, wire.answer().status] == [200, 400]
        assert wire.ends()


def test_an_application_that_raises_is_answered_with_a_problem(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Echo):
        async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise ZeroDivisionError("a secret")

    with served(Broken()) as server:
        answer = server.ask()

        assert answer.problem["code"] == "error"
        assert b"secret" not in answer.body
        assert "ZeroDivisionError" in caplog.text
