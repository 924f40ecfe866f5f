"""`/metrics`: for Prometheus, on every host, before any tenant is looked for; with the token, or from the machine itself."""

import asyncio
import secrets
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address

from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.problems import CONTENT_TYPE, UNKNOWN_ADDRESS

FORWARDED = frozenset(
    (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"forwarded", b"via")
)

Exposition = Callable[[str], tuple[bytes, str]]  # Accept → body, content type


class MetricsRoute:
    """Answer `/metrics`; hand everything else on. Whoever may not see it learns nothing, not even that it is there.

    Parameters
    ----------
    token
        What a caller from elsewhere presents as Bearer; "": nobody from elsewhere may.
    """

    def __init__(self, app: ASGIApp, *, exposition: Exposition, token: str) -> None:
        self.app, self._exposition, self._token = app, exposition, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/metrics":
            await self.app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD") or not self._may_see(scope):
            await _answer(scope, send, HTTPStatus.NOT_FOUND, UNKNOWN_ADDRESS, CONTENT_TYPE)
        else:
            accept = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"), "")
            await _answer(scope, send, HTTPStatus.OK, *await asyncio.to_thread(self._exposition, accept))

    def _may_see(self, scope: Scope) -> bool:
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, offered = (shown[0] if len(shown) == 1 else b"").partition(b" ")
        is_right = secrets.compare_digest(offered.strip(), self._token)  # Security: in constant time
        return (bool(self._token) and is_right and scheme.lower() == b"bearer") or is_local(scope)


def is_local(scope: Scope) -> bool:
    """Whether somebody on this machine asks.

    Security: a proxy on the same machine is somebody from elsewhere; what it adds to a request tells.
    """
    peer = scope.get("client")
    if not peer or any(name in FORWARDED for name, _ in scope["headers"]):
        return False
    try:
        address = ip_address(peer[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


async def _answer(scope: Scope, send: Send, status: HTTPStatus, body: bytes, content_type: str) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})
