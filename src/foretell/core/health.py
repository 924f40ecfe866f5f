"""`/livez`, `/readyz`: answered before tenant routing, with no tenant, session or credential."""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import structlog

from foretell.asgi import ASGIApp, Receive, Scope, Send

log = structlog.get_logger(__name__)

Check = Callable[[], str | None]  # None where all is well, else what is wrong, in words
Readiness = tuple[HTTPStatus, dict[str, object]]
DEADLINE_S = 4.0  # longer than it takes to find out that the database hangs; then no check waits for it any more
LOOKERS = 4  # threads: of its own, so that checks that hang hold up nothing but probes
HANGS: Readiness = (HTTPStatus.SERVICE_UNAVAILABLE, {"status": "unavailable", "checks": {"checks": "they do not end"}})


class Health:
    """Answer the probes; hand everything else on.

    Parameters
    ----------
    app
        What answers the rest.
    required
        Checks without which no prediction can be answered: one that fails makes `/readyz` 503.
    advisory
        Checks whose failure is shown as ``degraded``, while predictions go on.
    """

    def __init__(self, app: ASGIApp, *, required: Mapping[str, Check], advisory: Mapping[str, Check]) -> None:
        self.app = app
        self.required = required
        self.advisory = advisory
        self._pool = ThreadPoolExecutor(max_workers=LOOKERS, thread_name_prefix="readiness")
        self._looking: asyncio.Future[Readiness] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if scope["type"] != "http" or path not in ("/livez", "/readyz"):
            await self.app(scope, receive, send)
        elif path == "/livez":
            await _answer(send, HTTPStatus.OK, {"status": "ok"})
        else:
            await _answer(send, *await self._looked())

    async def _looked(self) -> Readiness:
        """Look in a thread, once for all who ask meanwhile; where that does not end, look once more."""
        for _ in range(2):
            if self._looking is None or self._looking.done():
                self._looking = asyncio.get_running_loop().run_in_executor(self._pool, self.readiness)
            looking = self._looking
            await asyncio.wait([looking], timeout=DEADLINE_S)
            if looking.done():
                return looking.result()
            if self._looking is looking:
                self._looking = None
        return HANGS

    def readiness(self) -> Readiness:
        required = {name: _outcome(check) for name, check in self.required.items()}
        advisory = {name: _outcome(check) for name, check in self.advisory.items()}
        checks = {name: outcome or "ok" for name, outcome in (required | advisory).items()}
        if any(required.values()):
            return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "unavailable", "checks": checks}
        return HTTPStatus.OK, {"status": "degraded" if any(advisory.values()) else "ok", "checks": checks}


def _outcome(check: Check) -> str | None:
    try:
        return check()
    except Exception as err:
        log.warning("a readiness check failed", exc_info=err)
        return type(err).__name__  # Security: the probe is open to all; the details are in the log only


async def _answer(send: Send, status: HTTPStatus, body: dict[str, object]) -> None:
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": content})
