"""How this API takes requests and says no: bodies without anything unknown, errors as problems that allauth's clients read as well."""

from collections.abc import Callable, Container, Iterator
from http import HTTPStatus
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.internal.restkit.response import APIResponse
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import get_token

from foretell.accounts.acting import identify_caller
from foretell.accounts.flows.headless.kinds import kind_of
from foretell.accounts.flows.headless.problems import as_problem
from foretell.core.problems import problem_response
from foretell.errors import ForetellError
from foretell.inference.codec.strict_json import loads
from foretell.problems import Fault, faults_of, status_of

CSRF_HEADER = "X-CSRFToken"
TOLD = (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT)
JSON = "application/json"
SAFE = ("GET", "HEAD", "OPTIONS")
NO_JSON = f"Expected a JSON object, named as such: Content-Type: {JSON}."


class Strict:
    """Put before one of allauth's headless views."""

    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Say who asks, for the audit; and give the CSRF token along: scripts cannot read the cookie."""
        if request.user.is_authenticated:
            identify_caller(request)
        answer = as_problem(self._answer(request, *args, **kwargs))
        answer.headers[CSRF_HEADER] = get_token(request)
        return answer

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask allauth; but not what this address does not do: it would look at the body first."""
        view: Any = self
        if request.method not in view._allowed_methods():
            return view.http_method_not_allowed(request)  # type: ignore[no-any-return]  # of the view beside this
        if request.method == "OPTIONS":
            return view.options(request)  # type: ignore[no-any-return]  # as above
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc, no-any-return]  # as above

    def get_input_class(self) -> Any:
        return None if self.request.method in SAFE else super().get_input_class()  # type: ignore[misc]  # as above

    def handle_input(self, data: Any) -> Any:
        """Refuse what is unknown, and what is of another kind, together with all else that is wrong."""
        sent = dict(data or {})
        mistyped = dict(_mistyped(self.get_input_class(), sent))
        refused = super().handle_input({name: value for name, value in sent.items() if name not in mistyped})  # type: ignore[misc]  # as above
        given = getattr(self, "input", None)
        allowed = sorted(given.fields) if given is not None else []
        unknown = sorted(set(sent) - set(allowed))
        if not unknown and not mistyped:
            return refused
        expected = f"Expected only {', '.join(allowed)}." if allowed else "Nothing is expected here."
        more = [error_of(name, "unknown_field", f"This is not a field here. {expected}") for name in unknown]
        wrong = [error_of(name, "invalid", text) for name, text in mistyped.items() if name in allowed]
        return told(self.request, [*_errors_in(given, but=mistyped), *wrong, *more])

    def _parse_json(self, request: HttpRequest) -> Any:
        if request.method in SAFE:
            return None
        is_form = (
            request.content_type == "multipart/form-data"
        )  # whose body was read already, to look for the CSRF token
        if not is_form and not request.body:
            return None
        if request.content_type != JSON:
            raise ImmediateHttpResponse(_refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", NO_JSON))
        try:
            found = loads(request.body)
        except ForetellError as err:
            raise ImmediateHttpResponse(_refused(HTTPStatus.BAD_REQUEST, "malformed_json", err.message)) from err
        if not isinstance(found, dict):
            raise ImmediateHttpResponse(_refused(HTTPStatus.BAD_REQUEST, "malformed_json", NO_JSON))
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


def _mistyped(input_class: Any, sent: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each field whose value is of another kind: Django's forms would make a text of it."""
    fields = input_class.base_fields if input_class is not None else {}
    for name in sent.keys() & fields.keys():
        kind = kind_of(fields[name])
        if not kind.fits(sent[name]):
            yield name, f"Found {sent[name]!r:.60}, expected {kind.words}."


def _errors_in(given: Any, *, but: Container[str]) -> list[dict[str, str]]:
    if given is None:
        return []
    return [
        error_of(None if name == "__all__" else name, error["code"], error["message"])
        for name, found in given.errors.items()
        if name not in but
        for error in found.get_json_data()
    ]


def _refused(status: HTTPStatus, code: str, detail: str) -> HttpResponseBase:
    return problem_response(status=status, code=code, detail=detail)
