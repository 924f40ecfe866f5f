"""Who may not send a large body is told so before any of it is taken: nothing of it is spooled to the disk."""

from collections.abc import Awaitable, Callable

from foretell.asgi import ASGIApp, Message, Receive, Scope, Send

MaySendBody = Callable[[Scope], Awaitable[bool]]
BODY_HEADERS = (b"content-length", b"transfer-encoding", b"content-type", b"expect")


async def anyone(scope: Scope) -> bool:
    """Allow everybody: the application reads the body, and refuses then."""
    return True


class BodyGate:
    """Ask from the headers alone whether a body is to be read; where not, the application answers as if it were empty.

    The refusal is thus the application's own, in its own shape; the connection is closed after it, with the body unread.

    Parameters
    ----------
    app
        What answers the request, and checks everything itself.
    covers
        Given method and path, whether the body is large enough to ask.
    may_send_body
        Whether the caller may send one; what it does not know, it allows.
    """

    def __init__(self, app: ASGIApp, *, covers: Callable[[str, str], bool], may_send_body: MaySendBody) -> None:
        self.app = app
        self.covers = covers
        self.may_send_body = may_send_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_covered = scope["type"] == "http" and self.covers(scope["method"], scope["path"])
        if is_covered and not await self.may_send_body(scope):
            await self.app(_without_body(scope), _nothing(receive), _closing(send))
        else:
            await self.app(scope, receive, send)


def _without_body(scope: Scope) -> Scope:
    headers = [header for header in scope["headers"] if header[0] not in BODY_HEADERS]
    return {**scope, "headers": [*headers, (b"content-length", b"0")]}


def _nothing(receive: Receive) -> Receive:
    is_given = False

    async def receive_nothing() -> Message:
        nonlocal is_given
        if not is_given:
            is_given = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while (await receive())["type"] != "http.disconnect":
            pass  # the application only waits for the client to leave
        return {"type": "http.disconnect"}

    return receive_nothing


def _closing(send: Send) -> Send:
    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return send_and_close
