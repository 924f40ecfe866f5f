"""How this API takes bodies and says no: in allauth's shape, without anything unknown."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.internal.restkit.response import APIResponse
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import get_token

from foretell.accounts.acting import identify_caller
from foretell.core.problems import problem_response
from foretell.errors import ForetellError
from foretell.inference.codec.strict_json import loads
from foretell.problems import Fault, faults_of, status_of

CSRF_HEADER = "X-CSRFToken"
TOLD = (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT)


class Strict:
    """Put before one of allauth's headless views."""

    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Say who asks, for the audit; and give the CSRF token along: scripts cannot read the cookie."""
        if request.user.is_authenticated:
            identify_caller(request)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # of the view beside this
        answer.headers[CSRF_HEADER] = get_token(request)
        return answer

    def handle_input(self, data: Any) -> Any:
        """Refuse what is unknown, together with all else that is wrong."""
        refused = super().handle_input(data)  # type: ignore[misc]  # as above
        given = getattr(self, "input", None)
        allowed = sorted(given.fields) if given is not None else []
        unknown = sorted(set(data or {}) - set(allowed))
        if not unknown:
            return refused
        expected = f"Expected only {', '.join(allowed)}." if allowed else "Nothing is expected here."
        more = [error_of(name, "unknown_field", f"This is not a field here. {expected}") for name in unknown]
        return told(self.request, [*_errors_in(given), *more])

    def _parse_json(self, request: HttpRequest) -> Any:
        if request.method == "GET" or not request.body:
            return None
        try:
            found = loads(request.body)
        except ForetellError as err:
            raise ImmediateHttpResponse(_no_json(err.message)) from err
        if not isinstance(found, dict):
            raise ImmediateHttpResponse(_no_json("Expected a JSON object."))
        return found


def answered(request: HttpRequest, call: Callable[[], HttpResponseBase], **names: str) -> HttpResponseBase:
    """Do it; where what was sent cannot be done, say so in allauth's shape.

    names : how a service's fields are called here.
    """
    try:
        return call()
    except ForetellError as err:
        if status_of(err) not in TOLD:
            raise
        faults = list(faults_of(err)) or [Fault(attr=None, code=err.code, detail=err.message)]
        return told(request, [_error(fault, names) for fault in faults])


def told(request: HttpRequest, errors: list[dict[str, str]]) -> HttpResponseBase:
    answer: HttpResponseBase = APIResponse(request, status=HTTPStatus.BAD_REQUEST, errors=errors)
    return answer


def error_of(param: str | None, code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message} | ({"param": param} if param else {})


def _error(fault: Fault, names: dict[str, str]) -> dict[str, str]:
    attr = fault["attr"]
    return error_of(names.get(attr, attr) if attr else None, fault["code"], fault["detail"])


def _errors_in(given: Any) -> list[dict[str, str]]:
    if given is None:
        return []
    return [
        error_of(None if name == "__all__" else name, error["code"], error["message"])
        for name, found in given.errors.items()
        for error in found.get_json_data()
    ]


def _no_json(detail: str) -> HttpResponseBase:
    return problem_response(status=HTTPStatus.BAD_REQUEST, code="malformed_json", detail=detail)
