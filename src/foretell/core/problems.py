"""Problems as Django's answers: with the id of the request at hand."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from foretell import problems
from foretell.core.request_ids import request_id
from foretell.problems import Fault


def problem(*, status: int, code: str, detail: str, errors: Iterable[Fault] = ()) -> dict[str, Any]:
    return problems.problem(status=status, code=code, detail=detail, request_id=request_id(), errors=errors)


def problem_response(
    *, status: int, code: str, detail: str, errors: Iterable[Fault] = (), headers: Mapping[str, str] | None = None
) -> HttpResponse:
    body = msgspec.json.encode(problem(status=int(status), code=code, detail=detail, errors=errors))
    response = HttpResponse(body, status=status, content_type=problems.CONTENT_TYPE, headers=dict(headers or {}))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(problems.RETRY_AFTER_S))
    return response


def wants_problem(request: HttpRequest) -> bool:
    """Whether a program asks: it gets a problem, a person gets a page."""
    is_browser = "text/html" in request.headers.get("Accept", "")
    return not is_browser or request.GET.get("format", "api") != "api"
