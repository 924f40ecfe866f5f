"""Each request has an id: the caller's, where it is a sane one, or ours. It is in the answer, in errors and in the log."""

import re
import time
from collections.abc import Callable
from contextvars import ContextVar

import structlog
from django.http import HttpRequest, HttpResponseBase

from foretell.core.ids import uuid7

SANE = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
HEADER = "X-Request-ID"

_request_id: ContextVar[str] = ContextVar("foretell_request_id", default="")


def request_id() -> str:
    """Return the id of the request at hand, or the empty string outside one."""
    return _request_id.get()


def chosen_id(offered: str | None) -> str:
    return offered if offered and SANE.fullmatch(offered) else str(uuid7())


class RequestIDMiddleware:
    """Names the request, and times it (`Server-Timing`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        identifier = chosen_id(request.headers.get(HEADER))
        token = _request_id.set(identifier)
        setattr(request, "request_id", identifier)  # noqa: B010  for the error pages; HttpRequest has no such field
        try:
            with structlog.contextvars.bound_contextvars(request_id=identifier):
                response = self.get_response(request)
        finally:
            _request_id.reset(token)
        response.headers[HEADER] = identifier
        own = response.headers.get("Server-Timing")
        total = f"total;dur={(time.perf_counter() - started) * 1e3:.1f}"
        response.headers["Server-Timing"] = f"{own}, {total}" if own else total
        return response
