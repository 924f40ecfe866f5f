"""A limit on bodies, before Django: nothing larger than its address may take is read, and the client is told at once."""

import json
from collections.abc import Callable
from http import HTTPStatus

from foretell.asgi import ASGIApp, Message, Receive, Scope, Send
from foretell.core.problems import problem
from foretell.problems import CONTENT_TYPE


class BodyLimit:
    """Answer 413 to a larger body: by its declared length before reading, else as soon as that much has come.

    Parameters
    ----------
    app
        What answers the request.
    max_bytes_for
        Given method and path, the most bytes that the body may have.
    """

    def __init__(self, app: ASGIApp, *, max_bytes_for: Callable[[str, str], int]) -> None:
        self.app = app
        self.max_bytes_for = max_bytes_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.max_bytes_for(scope["method"], scope["path"])
        if declared_length(scope) > limit:
            await refuse(send, limit)
            return
        await self._counted(scope, receive, send, limit)

    async def _counted(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Let the application see a client that went away, which it cleans up after, and tell the client why."""
        received, is_answered = 0, False

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message if received <= limit else {"type": "http.disconnect"}

        async def watching_send(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        await self.app(scope, counting_receive, watching_send)
        if received > limit and not is_answered:
            await refuse(send, limit)


def declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def refuse(send: Send, limit: int) -> None:
    """Answer 413 and close: what is still on its way is not read."""
    detail = f"The body is larger than the {limit:,} bytes that this address takes."
    body = json.dumps(problem(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code="too_large", detail=detail)).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": int(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), "headers": headers})
    await send({"type": "http.response.body", "body": body})
