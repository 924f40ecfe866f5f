"""Django's ASGI handler, which keeps a large body where uploads are kept, instead of in /tmp, which may be memory."""

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any, cast

import django
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler

from foretell.asgi import ASGIApp


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


def django_application() -> ASGIApp:
    django.setup(set_prefix=False)
    return cast(ASGIApp, Handler())
