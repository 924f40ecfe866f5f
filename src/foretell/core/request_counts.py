"""Counts what is answered, by method and status, whoever answers it."""

from foretell.asgi import ASGIApp, Message, Receive, Scope, Send
from foretell.metrics.instruments import OTHER, Counter, status_label

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class RequestCounts:
    """Count the answers of an application. Security: a method that somebody makes up is no label."""

    def __init__(self, app: ASGIApp, *, requests: Counter) -> None:
        self.app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = method_label(scope["method"])

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.add(method, status_label(int(message["status"])))
            await send(message)

        await self.app(scope, receive, counting_send)


def method_label(method: str) -> str:
    return method if method in METHODS else OTHER
