"""Nothing larger than an address takes is read. Each test builds its own small application."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from foretell.asgi import Receive, Scope, Send
from foretell.core.asgi import BodyLimit
from tests.cast import Cast
from tests.http import HttpFor

LIMIT = 100


class Reader:
    """Reads the whole body and answers its length; knows how much it was given."""

    def __init__(self) -> None:
        self.received = 0
        self.saw_disconnect = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.saw_disconnect = True
                return
            self.received += len(message.get("body", b""))
            if not message.get("more_body", False):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(self.received).encode()})


async def chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


def answer(app: Any, **request: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.post("/", **request)

    return asyncio.run(ask())


def limited(reader: Reader) -> BodyLimit:
    return BodyLimit(reader, max_bytes_for=lambda method, path: LIMIT)


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    assert answer(limited(Reader()), content=b"x" * LIMIT).text == str(LIMIT)
    assert answer(limited(Reader()), content=chunks(60, 40)).text == str(LIMIT)


def test_a_larger_one_is_refused_by_its_declared_length_before_a_byte_is_read() -> None:
    reader = Reader()

    refused = answer(limited(reader), content=b"x" * (LIMIT + 1))

    assert (refused.status_code, reader.received) == (413, 0)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too_large"
    assert answer(Reader(), content=b"x" * (LIMIT + 1)).status_code == 200  # the control


def test_one_without_a_declared_length_is_refused_as_soon_as_it_is_too_large() -> None:
    reader = Reader()

    refused = answer(limited(reader), content=chunks(60, 60, 1_000_000))

    assert refused.status_code == 413
    assert (reader.received, reader.saw_disconnect) == (60, True)


def test_a_length_that_lies_does_not_get_more_in() -> None:
    reader = Reader()

    refused = answer(limited(reader), content=chunks(60, 60), headers={"Content-Length": "10"})

    assert refused.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "mib"),
    [
        ("POST", "/api/v1/models/iris/predict/", 16),
        ("POST", "/api/v1/models/iris/predict", 16),
        ("POST", "/t/acme/api/v1/models/iris@champion/predict/", 16),
        ("POST", "/models/iris/", 16),
        ("POST", "/t/acme/models/iris/", 16),
        ("POST", "/api/v1/models/iris/versions/", 256),
        ("PUT", "/api/v1/models/iris/versions/", 1),
        ("POST", "/accounts/login/", 1),
        ("POST", "/api/v1/models/", 1),
        ("GET", "/api/v1/models/iris/predict/", 1),
    ],
)
def test_each_address_has_its_limit(method: str, path: str, mib: int) -> None:
    from foretell.config.asgi import max_bytes_for

    assert max_bytes_for(method, path) == mib * 1024 * 1024


def test_a_body_of_a_gigabyte_is_refused_at_once_with_an_id(cast: Cast, http_for: HttpFor) -> None:
    refused = http_for("alice").post(
        "/api/v1/models/iris/predict/", content=b"{}", headers={"Content-Length": str(1 << 30)}
    )

    assert refused.status_code == 413
    assert json.loads(refused.content)["request_id"] == refused.headers["X-Request-ID"]
