"""How many requests an application works on at once: Django takes a thread for each, and a connection to the database."""

import json
from http import HTTPStatus

from foretell.asgi import ASGIApp, Message, Receive, Scope, Send
from foretell.core.problems import problem
from foretell.problems import CONTENT_TYPE

GONE: Message = {"type": "http.disconnect"}
RETRY_AFTER_S = 1
BUSY = "This server is busy with as many requests as it takes at once. Try again in a moment."


class InFlightLimit:
    """Answer 503 at once to what is more: a queue would only make everybody wait. Other kinds of connections pass.

    A request counts from where its body is whole, so that slow bodies keep nobody out.

    Parameters
    ----------
    app
        What answers the request; it reads the body first.
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
        is_counted = is_refused = False

        async def counting_receive() -> Message:
            """Let the application see a client that went away where there is no room for its request."""
            nonlocal is_counted, is_refused
            message = GONE if is_refused else await receive()
            if is_counted or message["type"] != "http.request" or message.get("more_body", False):
                return message
            is_refused = self.in_flight >= self.at_most
            is_counted = not is_refused
            self.in_flight += is_counted
            return GONE if is_refused else message

        try:
            await self.app(scope, counting_receive, send)
        finally:
            self.in_flight -= is_counted
        if is_refused:
            await _refuse(send)


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
