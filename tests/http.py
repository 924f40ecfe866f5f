"""Speaking to the application as the world does: through its ASGI face, by HTTP, in this process."""

import asyncio
import threading
from typing import Any, Protocol

import httpx

from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.webserver.whole_answers import MEMO
from tests.cast import Cast


class HttpFor(Protocol):
    def __call__(self, person: str | None, *, tenant: str | None = None) -> httpx.Client: ...


class ASGITransport(httpx.BaseTransport):
    """httpx's own transport for ASGI applications, for blocking clients; as one connection of our own server (`KnownHeads`)."""

    def __init__(self, application: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app=self._as_our_server, raise_app_exceptions=False)
        self._application = application
        self._memos: dict[object, dict[Any, Any]] = {}

    async def _as_our_server(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give a head that came before what was kept with it: whatever changed meanwhile must be seen all the same."""
        head = (scope["method"], scope["raw_path"], scope["query_string"], tuple(scope["headers"]))
        scope["extensions"] = {MEMO: self._memos.setdefault(head, {})}
        await self._application(scope, receive, send)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._handled(request))

    async def _handled(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        return httpx.Response(
            response.status_code, headers=response.headers.raw, content=await response.aread(), request=request
        )


class FreshTransport(ASGITransport):
    """The installation's own application, which knows of everything that was committed before the request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        refreshed()
        return super().handle_request(request)


def refreshed() -> None:
    """Let this process's catalogue know now what it would know within a second; without a database, it knows what it knew.

    In a thread, as in life: its queries are not those of the request that follows.
    """
    with _refreshing:
        thread = threading.Thread(target=_refresh)
        thread.start()
        thread.join()


_refreshing = threading.Lock()


def _refresh() -> None:
    from django.db import OperationalError, connections

    from foretell.gateway.lane import gateway

    try:
        gateway().refresh()
    except OperationalError:
        return
    finally:
        connections.close_all()


def http_client(cast: Cast, person: str | None, tenant: str | None = None) -> httpx.Client:
    """Return a client at the door of `tenant`, by default the person's own, with the person's API key."""
    from foretell.config.asgi import application

    where = tenant or (cast.house_of(person).tenant.name if person else "acme")
    headers = {"Authorization": f"Bearer {cast.house_of(person).people[person].key}"} if person else {}
    return httpx.Client(transport=FreshTransport(application), base_url=f"http://{where}.localhost", headers=headers)
