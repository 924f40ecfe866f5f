"""Nothing of a large body is taken from whoever may not send it. The refusal is the application's own."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest

from foretell.asgi import Message, Receive, Scope, Send
from foretell.core.body_gate import BodyGate, anyone
from tests.webserver.servers import Echo, served


class Door:
    """Answers 401 without a key, else the length of the body; knows what it was given."""

    def __init__(self) -> None:
        self.received = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_whole = False
        while not is_whole:
            message = await receive()
            self.received += len(message["body"])
            is_whole = not message["more_body"]
        status = 200 if _has_key(scope) else 401
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": str(self.received).encode()})


async def with_a_key(scope: Scope) -> bool:
    return _has_key(scope)


def gated(door: Any, may_send_body: Any = with_a_key) -> BodyGate:
    return BodyGate(door, covers=lambda method, path: path == "/push", may_send_body=may_send_body)


def post(app: Any, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://a") as client:
            return await client.post(path, content=b"x" * 1_000, headers=headers)

    return asyncio.run(ask())


def test_who_may_not_is_answered_by_the_application_which_gets_nothing() -> None:
    door = Door()

    answer = post(gated(door), "/push")

    assert (answer.status_code, door.received) == (401, 0)
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(("path", "headers"), [("/push", {"x-api-key": "k"}), ("/other", {})])
def test_everybody_else_is_read(path: str, headers: dict[str, str]) -> None:
    door = Door()

    answer = post(gated(door), path, **headers)

    assert door.received == 1_000
    assert "connection" not in answer.headers


def test_the_control_reads_it_from_anyone() -> None:
    door = Door()

    assert post(gated(door, anyone), "/push").status_code == 401
    assert door.received == 1_000


def test_the_application_sees_an_empty_request_and_then_a_client_that_leaves() -> None:
    seen: list[Any] = []
    messages: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([scope["headers"], await receive(), await receive()])

    async def receive() -> Message:
        return messages.pop(0)

    async def call() -> None:
        headers = [(b"host", b"a"), (b"content-length", b"9"), (b"content-type", b"x/y"), (b"expect", b"100-continue")]
        scope: Scope = {"type": "http", "method": "POST", "path": "/push", "headers": headers}
        await gated(app)(scope, receive, AsyncMock())

    asyncio.run(call())

    assert seen == [
        [(b"host", b"a"), (b"content-length", b"0")],
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]


def test_a_client_that_sends_on_reads_the_refusal() -> None:
    async def nobody(scope: Scope) -> bool:
        return False

    with served(BodyGate(Echo(), covers=lambda method, path: True, may_send_body=nobody)) as server:
        wire = server.wire(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 500_000)

        answer = wire.answer()
        assert (answer.body, answer.is_last) == (b"0", True)
        assert wire.ends()


def _has_key(scope: Scope) -> bool:
    return any(name == b"x-api-key" for name, _ in scope["headers"])
