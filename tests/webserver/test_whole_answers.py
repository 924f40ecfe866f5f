"""An answer in one message: on the wire it is what head and body sent apart would have been, and bounded by the same rules."""

import pytest

from foretell.asgi import Receive, Scope, Send
from foretell.webserver.whole_answers import WHOLE, check_lines, header_lines
from tests.webserver.servers import GOOD, served, stock

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"5")]


class Whole:
    """Answers in one message where the server takes it, else in two."""

    def __init__(
        self, *, status: int = 200, headers: list[tuple[bytes, bytes]] | None = None, times: int = 1, is_last: bool = False
    ) -> None:  # fmt: skip
        self.status, self.headers, self.times, self.is_last = status, headers or HEADERS, times, is_last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        await receive()
        if WHOLE not in scope.get("extensions", ()):
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            await send({"type": "http.response.body", "body": b"hello"})
            return
        head, n_headers = header_lines(self.headers), len(self.headers)
        for _ in range(self.times):
            await send({
                "type": WHOLE, "status": self.status, "head": head, "n_headers": n_headers, "body": b"hello",
                "is_last": self.is_last,
            })  # fmt: skip


def test_it_is_on_the_wire_what_two_messages_would_have_been() -> None:
    with served(Whole()) as server, stock(Whole()) as control:
        ours, theirs = server.ask(), control.ask()

    assert (ours.status, ours.body) == (theirs.status, theirs.body) == (200, b"hello")
    assert ours.headers.keys() >= {"date", "content-type", "content-length"}
    assert ours.headers["content-type"] == theirs.headers["content-type"]


def test_the_connection_is_kept_and_ends_when_either_side_says_so() -> None:
    with served(Whole()) as server, served(Whole(is_last=True)) as other:
        wire = server.wire(GOOD)
        assert not wire.answer().is_last
        wire.send(GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert wire.answer().is_last
        assert wire.ends()

        last = other.wire(GOOD)
        assert last.answer().is_last
        assert last.ends()


def test_a_head_is_answered_without_its_body() -> None:
    with served(Whole()) as server:
        wire = server.wire(GOOD.replace(b"GET", b"HEAD"))
        wire.send(GOOD)
        while wire.rest.count(b"\r\n\r\n") < 2:
            wire._more()

    assert wire.rest.count(b"hello") == 1


def test_a_second_answer_to_one_request_is_never_sent() -> None:
    with served(Whole(times=2)) as server:
        wire = server.wire(GOOD)

        assert wire.answer().body == b"hello"
        assert wire.ends()


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: b=c", b"a\nb", b"a\rb"])
def test_a_header_cannot_become_two(value: bytes) -> None:
    with pytest.raises(RuntimeError, match="line break"):
        check_lines(header_lines([*HEADERS, (b"x-request-id", value)]), 1 + len(HEADERS))

    with served(Whole(headers=[*HEADERS, (b"x", value)])) as server:
        assert server.ask().status == 500
