"""From what a DRF view raised to what is answered; the table of errors and statuses is `foretell.problems`."""

from http import HTTPStatus
from typing import Any, cast

import structlog
from django.core.exceptions import PermissionDenied
from django.db import DataError, OperationalError
from django.http import Http404
from django.http.response import HttpResponseBase
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from foretell.core.idempotency.once import AlreadyAnswered
from foretell.core.problems import problem
from foretell.errors import ForetellError
from foretell.problems import (
    BROKEN,
    CONTENT_TYPE,
    NOT_FOUND,
    RETRY_AFTER_S,
    Fault,
    faults_of,
    retry_after_s,
    sentence_of,
    status_of,
)

log = structlog.get_logger(__name__)

TRY_AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
UNSTORABLE = "A value is not one that can be kept: a text with a NUL character, say, or a number that is far too large."
DATABASE_AWAY = "The database does not answer at this moment. Nothing was changed; try again in a few seconds."


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | HttpResponseBase | None:
    """Answer every exception of a DRF view as a problem; one that nobody raised on purpose is logged, once."""
    if isinstance(exc, AlreadyAnswered):
        return exc.response()
    if isinstance(exc, ForetellError) and (status := status_of(exc)) != HTTPStatus.INTERNAL_SERVER_ERROR:
        response = _problem(context, status, exc.code, exc.message, faults_of(exc))
        if status in TRY_AGAIN:
            response["Retry-After"] = str(retry_after_s(exc))
        return response
    if isinstance(exc, OperationalError):
        log.error("the database does not answer", exc_info=exc)
        return _problem(context, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", DATABASE_AWAY)
    if isinstance(exc, DataError):  # what no serializer caught; the statement was not executed
        log.warning("the database refused a value", exc_info=exc)
        return _problem(context, HTTPStatus.BAD_REQUEST, "invalid", UNSTORABLE)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound(NOT_FOUND)
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, exceptions.APIException):
        return _of_api_exception(exc, context)
    log.error("unexpected error in a view", exc_info=exc)
    return _problem(context, HTTPStatus.INTERNAL_SERVER_ERROR, "error", BROKEN)


def _of_api_exception(exc: exceptions.APIException, context: dict[str, Any]) -> Response:
    """Let drf-standardized-errors flatten nested validation errors into paths."""
    standard = ExceptionHandler(exc, cast("Any", context))
    faults = [
        Fault(attr=error["attr"], code=error["code"], detail=error["detail"]) for error in _flattened(standard, exc)
    ]
    code = "invalid" if isinstance(exc, exceptions.ValidationError) else faults[0]["code"]
    response = _problem(
        context,
        exc.status_code,
        code,
        sentence_of(faults),
        faults if isinstance(exc, exceptions.ValidationError) else [],
    )
    if auth_header := getattr(exc, "auth_header", None):
        response.headers["WWW-Authenticate"] = auth_header
    if wait := getattr(exc, "wait", None):
        response.headers["Retry-After"] = str(int(wait) + 1)
    return response


def _flattened(standard: ExceptionHandler, exc: exceptions.APIException) -> list[dict[str, Any]]:
    data = standard.run()
    errors: list[dict[str, Any]] = data.data["errors"] if data is not None else []
    return errors or [{"attr": None, "code": str(exc.default_code), "detail": str(exc.detail)}]


def _problem(
    context: dict[str, Any], status: int, code: str, detail: str, errors: list[Fault] | None = None
) -> Response:
    response = Response(problem(status=status, code=code, detail=detail, errors=errors or []), status=status)
    _render_as_problem(response, context)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _render_as_problem(response: Response, context: dict[str, Any]) -> None:
    """Send JSON under its own name, whatever format the answer would have had; people keep the browsable page."""
    request = context["request"]
    if getattr(getattr(request, "accepted_renderer", None), "format", "") == "api":
        return
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    response.content_type = CONTENT_TYPE
