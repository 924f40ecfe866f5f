"""One request and what came back, within this process: raw ASGI, so that thousands of them take seconds."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx

from foretell.asgi import ASGIApp

STREAM = "STREAM"  # what stands in the place of a method where a WebSocket is opened
REQUEST_ID = "0192aaaa-0000-7000-8000-000000000000"  # the same for all, so that answers can be compared
SAYS = {"a": 1, "b": 2}

# What differs from one answer to the next though they say the same.
NOT_COMPARED = {"date", "expires", "server-timing"}
VOLATILE = (
    re.compile(rb'(?<=name="csrfmiddlewaretoken" value=")[^"]+'),
    re.compile(rb"(?<=csrfToken: \")[^\"]+|(?<=&quot;X-CSRFToken&quot;: &quot;)[^&]+"),
    re.compile(rb"(?<=nonce=\")[^\"]+"),
    re.compile(rb"(?<=\"challenge\": \")[^\"]+"),  # of a passkey
    re.compile(
        rb"(?<=\"secret\": \")[^\"]+|(?<=\"secret\":\")[^\"]+|(?<=secret=)\w+|(?<=\"totp_svg\": \")[^\"]+|(?<=svg\+xml;)[^\"]+"
    ),  # of an app that is added
)
VOLATILE_HEADERS = {
    "set-cookie": re.compile(r"(?<==)[^;]+|(?<=expires=)[^;]+"),
    "ratelimit": re.compile(r".+"),  # which of several limits is the nearest is another one each time
    "x-csrftoken": re.compile(r".+"),
    "content-security-policy": re.compile(r"(?<=nonce-)[^']+"),
}


@dataclass(frozen=True)
class Request:
    """What is asked: `options` are httpx's: json, data, files, content."""

    method: str
    path: str
    host: str
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> "Request":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(self.method, self.path, self.host, {**self.headers, **named}, self.options)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for found, value in self.headers if found == name), None)

    @property
    def everything(self) -> bytes:
        return repr(self.headers).encode() + b"\n" + self.body

    def compared(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return what two answers that say the same have in common, byte for byte."""
        headers = tuple(
            sorted((name, _steady(name, value)) for name, value in self.headers if name not in NOT_COMPARED)
        )
        body = self.body
        for pattern in VOLATILE:
            body = pattern.sub(b"*", body)
        return self.status, headers, body


def ask(runner: asyncio.Runner, app: ASGIApp, request: Request) -> Answer:
    return runner.run(_streamed(app, request) if request.method == STREAM else _answered(app, request))


async def _answered(app: ASGIApp, request: Request) -> Answer:
    options = dict(request.options)
    headers = {"Host": request.host, "X-Request-ID": REQUEST_ID, **request.headers, **options.pop("headers", {})}
    built = httpx.Request(request.method, f"http://{request.host}{request.path}", headers=headers, **options)
    body = [{"type": "http.request", "body": built.read(), "more_body": False}]
    heard: list[Any] = []

    async def receive() -> Any:
        if not body:
            await asyncio.Event().wait()  # the client stays until it has its answer
        return body.pop()

    async def send(message: Any) -> None:
        heard.append(message)

    await app(_scope("http", request, built.headers.raw, method=request.method, http_version="1.1"), receive, send)
    return _answer(heard, "http.response")


async def _streamed(app: ASGIApp, request: Request) -> Answer:
    """Open a WebSocket, say one row, and hang up; what is heard is put together as one answer."""
    said: list[Any] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": json.dumps(SAYS)},
        {"type": "websocket.disconnect", "code": 1000},
    ]
    heard: list[Any] = []

    async def receive() -> Any:
        return said.pop(0)

    async def send(message: Any) -> None:
        heard.append(message)

    headers = {"Host": request.host, "X-Request-ID": REQUEST_ID, **request.headers}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = _scope("websocket", request, pairs, extensions={"websocket.http.response": {}})
    await app(scope, receive, send)
    if heard and heard[0]["type"] == "websocket.http.response.start":
        return _answer(heard, "websocket.http.response")
    return Answer(101, (), b"\n".join(_heard(message) for message in heard))


def _scope(kind: str, request: Request, headers: Any, **more: Any) -> dict[str, Any]:
    path, _, query = request.path.partition("?")
    return {
        "type": kind, "path": unquote_to_bytes(path).decode(), "raw_path": path.encode(), "query_string": query.encode(), "scheme": "http",
        "headers": [(name.lower(), value) for name, value in headers], "client": ("127.0.0.1", 5000), "server": (request.host, 80),
        "root_path": "", "asgi": {"version": "3.0"}, **more,
    }  # fmt: skip


def _answer(heard: list[Any], prefix: str) -> Answer:
    start = next(message for message in heard if message["type"] == f"{prefix}.start")
    body = b"".join(message.get("body", b"") for message in heard if message["type"] == f"{prefix}.body")
    headers = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"])
    return Answer(start["status"], headers, body)


def _heard(message: Any) -> bytes:
    return b" ".join(str(message.get(name, "")).encode() for name in ("type", "code", "reason", "text", "bytes"))


def _steady(name: str, value: str) -> str:
    pattern = VOLATILE_HEADERS.get(name)
    return pattern.sub("*", value) if pattern else value
