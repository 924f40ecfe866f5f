"""Django's ASGI handler.

It keeps a large body where uploads are kept, instead of in /tmp, which may be memory; and it knows the length of each.
"""

import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import IO, Any, cast

import django
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler

from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.problems import CONTENT_TYPE, UNKNOWN_ADDRESS


class Handler(ASGIHandler):
    async def read_body(self, receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> IO[bytes]:
        body = tempfile.SpooledTemporaryFile(  # noqa: SIM115  the request closes it
            max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE, mode="w+b", dir=settings.FILE_UPLOAD_TEMP_DIR
        )
        is_complete = False
        while not is_complete:
            message = await receive()
            if message["type"] == "http.disconnect":
                body.close()
                raise RequestAborted
            body.write(message.get("body", b""))
            is_complete = not message.get("more_body", False)
        body.seek(0)
        return cast(IO[bytes], body)

    def create_request(self, scope: Mapping[str, Any], body_file: IO[bytes]) -> Any:
        return super().create_request(_with_length(scope, body_file), body_file)


def _with_length(scope: Mapping[str, Any], body: IO[bytes]) -> Mapping[str, Any]:
    """Say how long a body is that came in chunks: Django and DRF take one of no stated length for an empty one."""
    if any(name == b"content-length" for name, _ in scope["headers"]):
        return scope
    body.seek(0, os.SEEK_END)
    length = body.tell()
    body.seek(0)
    return {**scope, "headers": [*scope["headers"], (b"content-length", str(length).encode())]} if length else scope


class WithoutWebSockets:
    """Refuse the handshake, as Django knows nothing of it; those that are answered never come here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close"})
            return
        headers = [(b"content-type", CONTENT_TYPE.encode())]
        await send({"type": "websocket.http.response.start", "status": HTTPStatus.NOT_FOUND, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": UNKNOWN_ADDRESS})


def django_application() -> ASGIApp:
    django.setup(set_prefix=False)
    return WithoutWebSockets(cast(ASGIApp, Handler()))
