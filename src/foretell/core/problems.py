"""Error answers of our own API: RFC 9457, `application/problem+json`."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypedDict

from django.http import HttpRequest, HttpResponse

from foretell.core.request_ids import request_id

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class Fault(TypedDict):
    """One thing that is wrong with a request; `attr` is its path within the body, or null for the whole."""

    attr: str | None
    code: str
    detail: str


def problem(*, status: int, code: str, detail: str, errors: Iterable[Fault] = ()) -> dict[str, Any]:
    """Return the body; the title is the status's own phrase, the type names the code."""
    return {
        "type": f"urn:foretell:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id(),
        "errors": list(errors),
    }


def problem_response(
    *, status: int, code: str, detail: str, errors: Iterable[Fault] = (), headers: Mapping[str, str] | None = None
) -> HttpResponse:
    body = json.dumps(problem(status=status, code=code, detail=detail, errors=errors)).encode()
    response = HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=dict(headers or {}))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    return response


def wants_problem(request: HttpRequest) -> bool:
    """Whether this address is for programs: they get problems, people get pages."""
    return request.path_info.startswith("/api/") or "text/html" not in request.headers.get("Accept", "")
