"""How many requests an application works on at once: Django takes a thread for each, and a connection to the database."""

import json
from http import HTTPStatus

from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.core.problems import problem
from foretell.problems import CONTENT_TYPE

RETRY_AFTER_S = 1
BUSY = "This server is busy with as many requests as it takes at once. Try again in a moment."


class InFlightLimit:
    """Answer 503 at once to what is more: a queue would only make everybody wait. Other kinds of connections pass.

    Parameters
    ----------
    app
        What answers the request.
    at_most
        How many it works on at once.
    """

    def __init__(self, app: ASGIApp, *, at_most: int) -> None:
        self.app = app
        self.at_most = at_most
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.in_flight >= self.at_most:
            await _refuse(send)
            return
        self.in_flight += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.in_flight -= 1


async def _refuse(send: Send) -> None:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    body = json.dumps(problem(status=status, code="unavailable", detail=BUSY)).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(RETRY_AFTER_S).encode()),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
