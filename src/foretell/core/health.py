"""`/livez`, `/readyz`: answered before tenant routing, with no tenant, session or credential."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog
from asgiref.sync import sync_to_async

from foretell.asgi import ASGIApp, Receive, Scope, Send

log = structlog.get_logger(__name__)

Check = Callable[[], str | None]  # None where all is well, else what is wrong, in words


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if scope["type"] != "http" or path not in ("/livez", "/readyz"):
            await self.app(scope, receive, send)
        elif path == "/livez":
            await _answer(send, HTTPStatus.OK, {"status": "ok"})
        else:
            await _answer(send, *await sync_to_async(self.readiness, thread_sensitive=False)())

    def readiness(self) -> tuple[HTTPStatus, dict[str, object]]:
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
