"""An application works on so many requests at once, and what is more is told to come again."""

import asyncio
import json
from typing import Any
from unittest.mock import AsyncMock

from foretell.asgi import Receive, Scope, Send
from foretell.core.in_flight import InFlightLimit

HTTP: Scope = {"type": "http"}


class Gate:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.let_go.wait()
        if scope.get("fails"):
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 200, "headers": []})


def test_what_is_more_is_answered_503_at_once_and_room_is_made_again() -> None:
    async def ask() -> None:
        gate, send = Gate(), AsyncMock()
        limit = InFlightLimit(gate, at_most=2)
        running = [
            asyncio.create_task(limit(scope, AsyncMock(), AsyncMock())) for scope in (HTTP, {**HTTP, "fails": 1})
        ]
        await asyncio.sleep(0)

        await limit(HTTP, AsyncMock(), send)

        start, body = (call.args[0] for call in send.await_args_list)
        assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"1")
        assert json.loads(body["body"])["code"] == "unavailable"
        gate.let_go.set()
        await asyncio.gather(*running, return_exceptions=True)
        assert limit.in_flight == 0

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
