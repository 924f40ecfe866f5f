"""What is answered where no view did: a problem to programs, a page to people."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from foretell.core.exception_handler import DATABASE_AWAY, TRY_AGAIN, UNSTORABLE
from foretell.core.problems import problem_response, wants_problem
from foretell.errors import ForetellError
from foretell.problems import BROKEN, NOT_FOUND, RETRY_AFTER_S, retry_after_s, status_of
from foretell.web import errors as pages

NO_METHOD = "This address is not asked in this way. The header Allow says in which it is."

log = structlog.get_logger(__name__)


class ErrorsMiddleware:
    """Answers, in words, what a page raised on purpose; for DRF's views `core.exception_handler` does it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:  # Django's own; it says nothing
            shown = failure(request, status=HTTPStatus.METHOD_NOT_ALLOWED, code="method_not_allowed", detail=NO_METHOD)
            shown.headers["Allow"] = response.headers["Allow"]
            return shown
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError):
            log.error("the database does not answer", exc_info=exception)
            return failure(request, status=HTTPStatus.SERVICE_UNAVAILABLE, code="unavailable", detail=DATABASE_AWAY)
        if isinstance(exception, DataError):
            log.warning("the database refused a value", exc_info=exception)
            return failure(request, status=HTTPStatus.BAD_REQUEST, code="invalid", detail=UNSTORABLE)
        if isinstance(exception, ForetellError) and status_of(exception) != HTTPStatus.INTERNAL_SERVER_ERROR:
            response = failure(request, status=status_of(exception), code=exception.code, detail=exception.message)
            if response.status_code in TRY_AGAIN:
                response.headers["Retry-After"] = str(retry_after_s(exception))
            return response
        return None


def failure(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    if wants_problem(request):
        return problem_response(status=status, code=code, detail=detail)
    page = pages.error_page(request, status=status, title=HTTPStatus(status).phrase, detail=detail)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        page.headers["Retry-After"] = str(RETRY_AFTER_S)
    return page


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if wants_problem(request):
        return problem_response(status=400, code="bad_request", detail="The request cannot be read.")
    return pages.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if wants_problem(request):
        return problem_response(
            status=403, code="permission_denied", detail="Your role, or the scopes of your key, do not include this."
        )
    return pages.forbidden(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if wants_problem(request):
        return problem_response(
            status=403, code="permission_denied", detail=f"The CSRF token is missing or wrong. {reason}".strip()
        )
    return pages.csrf_failure(request, reason)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if wants_problem(request):
        return problem_response(status=404, code="not_found", detail=NOT_FOUND)
    return pages.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if wants_problem(request):
        return problem_response(status=500, code="error", detail=BROKEN)
    return pages.server_error(request)
