"""Telling callers in time that an address will go: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).

A view that is on its way out says so: ``deprecated = Deprecated(since=…, until=…, link="https://…")``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import http_date


@dataclass(frozen=True, slots=True)
class Deprecated:
    """Since when one should not use it, until when it answers, and where one reads what to do instead."""

    since: datetime
    until: datetime | None = None
    link: str = ""

    def headers(self) -> dict[str, str]:
        headers = {"Deprecation": f"@{int(self.since.timestamp())}"}
        if self.until is not None:
            headers["Sunset"] = http_date(self.until.timestamp())
        if self.link:
            headers["Link"] = f'<{self.link}>; rel="deprecation"; type="text/html"'
        return headers


class DeprecationMiddleware:
    """Puts the headers on every answer of such a view, refusals included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        deprecated = _deprecated(request)
        for name, value in deprecated.headers().items() if deprecated else ():
            both = name == "Link" and response.headers.get(name)
            response.headers[name] = f"{response.headers[name]}, {value}" if both else value
        return response


def _deprecated(request: HttpRequest) -> Deprecated | None:
    match: Any = request.resolver_match
    if match is None:
        return None
    view = getattr(match.func, "view_class", getattr(match.func, "cls", None))
    found = getattr(view, "deprecated", None)
    return found if isinstance(found, Deprecated) else None
