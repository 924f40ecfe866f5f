"""The one place that touches httpx: requests out, replies and errors in our own words back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx

from foretell.client._config import Settings
from foretell.client._errors import ConnectionFailed, NotConfigured, TimedOut
from foretell.client._multipart import Multipart
from foretell.client._replies import Reply
from foretell.client._requests import Request

CONNECT_TIMEOUT_S = 10.0
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def options(settings: Settings, timeout_s: float) -> dict[str, object]:
    """Return what both of httpx's clients are made with."""
    return {
        "base_url": settings.root,
        "timeout": httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
        "headers": {
            "Authorization": f"Bearer {settings.api_key}",
            "Accept": "application/json",
            "User-Agent": _user_agent(),
        },
    }


def sent(http: httpx.Client, request: Request) -> Reply:
    content: bytes | Iterator[bytes] | None = (
        request.chunks() if isinstance(request.content, Multipart) else request.content
    )
    with _in_our_words(http):
        response = http.request(
            request.method, request.path, params=request.params or None, headers=request.headers, content=content
        )
    return _reply(response)


async def sent_async(http: httpx.AsyncClient, request: Request) -> Reply:
    content = _async_chunks(request) if isinstance(request.content, Multipart) else request.content
    with _in_our_words(http):
        response = await http.request(
            request.method, request.path, params=request.params or None, headers=request.headers, content=content
        )
    return _reply(response)


async def _async_chunks(request: Request) -> AsyncIterator[bytes]:
    for chunk in request.chunks():
        yield chunk


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, response.headers, response.content)


@contextmanager
def _in_our_words(http: httpx.Client | httpx.AsyncClient) -> Iterator[None]:
    place = str(http.base_url).rstrip("/")
    try:
        yield
    except httpx.ConnectTimeout as err:
        raise TimedOut(f"{place} did not take the connection in time. Is the server running?", is_unsent=True) from err
    except httpx.TimeoutException as err:
        raise TimedOut(f"{place} did not answer in time.", is_unsent=isinstance(err, _UNSENT)) from err
    except httpx.TransportError as err:
        raise ConnectionFailed(
            f"{place} cannot be reached: {err}. Is the server running, and the address right?",
            is_unsent=isinstance(err, _UNSENT),
        ) from err
    except httpx.InvalidURL as err:
        raise NotConfigured(f"{place} is no address of a server: {err}") from err


def _user_agent() -> str:
    from importlib import metadata

    return f"foretell/{metadata.version('foretell')}"
