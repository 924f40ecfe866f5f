"""An application works on so many requests at once, and what is more is told to come again."""

import asyncio
import json
from typing import Any
from unittest.mock import AsyncMock

from foretell.asgi import Message, Receive, Scope, Send
from foretell.core.in_flight import InFlightLimit

HTTP: Scope = {"type": "http"}


WHOLE: Message = {"type": "http.request", "body": b"x", "more_body": False}
PART: Message = {"type": "http.request", "body": b"x", "more_body": True}


class Gate:
    """Reads the body, and answers when it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive()).get("more_body", False):
            pass
        if message["type"] == "http.disconnect":
            return
        await self.let_go.wait()
        if scope.get("fails"):
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 200, "headers": []})


def test_what_is_more_is_answered_503_at_once_and_room_is_made_again() -> None:
    async def ask() -> None:
        gate, send = Gate(), AsyncMock()
        limit = InFlightLimit(gate, at_most=2)
        running = [begun(limit, scope, WHOLE) for scope in (HTTP, {**HTTP, "fails": True})]
        await asyncio.sleep(0.01)

        await limit(HTTP, AsyncMock(side_effect=[WHOLE]), send)

        start, body = (call.args[0] for call in send.await_args_list)
        assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"1")
        assert json.loads(body["body"])["code"] == "unavailable"
        gate.let_go.set()
        await asyncio.gather(*running, return_exceptions=True)
        assert limit.in_flight == 0

    asyncio.run(ask())


def test_a_body_that_is_on_its_way_keeps_nobody_out() -> None:
    async def ask() -> None:
        gate, send = Gate(), AsyncMock()
        gate.let_go.set()
        limit = InFlightLimit(gate, at_most=1)
        slow = begun(limit, HTTP, PART)
        await asyncio.sleep(0.01)

        await limit(HTTP, AsyncMock(side_effect=[WHOLE]), send)

        assert send.await_args_list[0].args[0]["status"] == 200
        slow.cancel()

    asyncio.run(ask())


def test_other_connections_pass_unchanged() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def ask() -> None:
        await InFlightLimit(app, at_most=0)(websocket, AsyncMock(), AsyncMock())

    websocket: Scope = {"type": "websocket"}
    asyncio.run(ask())

    assert seen[0] is websocket


def begun(limit: InFlightLimit, scope: Scope, *messages: Message) -> asyncio.Task[None]:
    """Begin a request of which these messages come, and then nothing."""
    coming = list(messages)

    async def receive() -> Message:
        if not coming:
            await asyncio.Event().wait()
        return coming.pop(0)

    return asyncio.create_task(_call(limit, scope, receive))


async def _call(limit: InFlightLimit, scope: Scope, receive: Receive) -> None:
    await limit(scope, receive, AsyncMock())
