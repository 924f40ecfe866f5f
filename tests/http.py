"""Speaking to the application as the world does: through its ASGI face, by HTTP, in this process."""

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import psycopg
from django.db import OperationalError, connections

from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.webserver.whole_answers import MEMO
from tests.cast import Cast

if TYPE_CHECKING:
    from foretell.gateway.listening import Listener


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


class Revisions:
    """The revisions of all tenants, asked for on one connection that is kept.

    Optimization: a gateway that is refreshed connects anew, which costs as much as a request; most requests come when nothing has changed.
    """

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._listener: Listener | None = None

    def are_known(self) -> bool:
        """Whether this process's catalogue is what is committed by now, and nothing of it waits."""
        from foretell.gateway.lane import gateway

        catalogue = gateway().catalogue
        if not catalogue.is_complete or catalogue.is_cut_off or gateway().n_aliases_behind:
            return False
        if self._numbers() != catalogue.numbers():
            return False
        catalogue.confirm()
        return True

    def _numbers(self) -> dict[str, int] | None:
        from foretell.gateway.listening import Bell, listening

        try:
            if self._listener is None:
                bell = Bell()
                self._open.callback(bell.close)
                self._listener = self._open.enter_context(listening(bell, hears=False))
            return self._listener.numbers()
        except (OperationalError, psycopg.OperationalError):  # away, or ended by a test
            self.close()
            return None

    def close(self) -> None:
        self._listener = None
        self._open.close()


revisions = Revisions()
_refreshing = threading.Lock()


def refreshed() -> None:
    """Let this process's catalogue know now what it would know within a second; without a database, it knows what it knew.

    In a thread, as in life: its queries are not those of the request that follows.
    """
    with _refreshing:
        if not revisions.are_known():
            thread = threading.Thread(target=_refresh)
            thread.start()
            thread.join()


def _refresh() -> None:
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
