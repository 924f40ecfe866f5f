"""Error answers of our own API: RFC 9457, `application/problem+json`; and the one table of errors and HTTP statuses.

No framework: Django's views and the fast lane both write what is made here.
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, TypedDict

from foretell.errors import ForetellError
from foretell.inference import errors as inference

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

NOT_FOUND = "Nothing is here, or it is not yours."
BROKEN = "Something broke here. The request id finds it in our log."
SUSPENDED = "This tenant is suspended. Nothing of it is lost; ask the operator of this installation to resume it."
# Security: one constant body, whatever the address was; the request's id is in the headers.
UNKNOWN_ADDRESS = (
    b'{"type": "urn:foretell:problem:not_found", "title": "Not Found", "status": 404, '
    b'"detail": "Nothing is here, or it is not yours.", "code": "not_found", "request_id": "", "errors": []}'
)

# By class, the nearest base first; by code, for the errors of rooms above this one.
STATUS_OF_CLASS: dict[type[ForetellError], int] = {
    inference.InvalidInput: HTTPStatus.BAD_REQUEST,
    inference.InvalidSignature: HTTPStatus.BAD_REQUEST,
    inference.ArtifactError: HTTPStatus.BAD_REQUEST,
    inference.SandboxError: HTTPStatus.SERVICE_UNAVAILABLE,
    inference.RunFailed: HTTPStatus.SERVICE_UNAVAILABLE,
}
STATUS_OF_CODE = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "invalid": HTTPStatus.BAD_REQUEST,
    "not_authenticated": HTTPStatus.UNAUTHORIZED,
    "authentication_failed": HTTPStatus.UNAUTHORIZED,
    "permission_denied": HTTPStatus.FORBIDDEN,
    "tenant_suspended": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "timeout": HTTPStatus.REQUEST_TIMEOUT,
    "conflict": HTTPStatus.CONFLICT,
    "precondition_failed": HTTPStatus.PRECONDITION_FAILED,
    "precondition_required": HTTPStatus.PRECONDITION_REQUIRED,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unprocessable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "throttled": HTTPStatus.TOO_MANY_REQUESTS,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}


class Fault(TypedDict):
    """One thing that is wrong with a request; `attr` is its path within the body, or null for the whole."""

    attr: str | None
    code: str
    detail: str


def problem(*, status: int, code: str, detail: str, request_id: str, errors: Iterable[Fault] = ()) -> dict[str, Any]:
    """Return the body; the title is the status's own phrase, the type names the code."""
    return {
        "type": f"urn:foretell:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "errors": list(errors),
    }


def status_of(error: ForetellError) -> int:
    """Return the status for an error that was raised on purpose.

    A class may name its kind, one of `STATUS_OF_CODE`, as ``kind``; its code may then be more telling than its kind.
    """
    for base in type(error).__mro__:
        if base in STATUS_OF_CLASS:
            return STATUS_OF_CLASS[base]
    kind = getattr(error, "kind", error.code)
    return STATUS_OF_CODE.get(kind, HTTPStatus.INTERNAL_SERVER_ERROR)


def faults_of(error: ForetellError) -> list[Fault]:
    """Return each single thing that the error names."""
    if isinstance(error, inference.InvalidInput):
        return [Fault(attr=fault.attr or None, code=fault.code, detail=fault.detail) for fault in error.problems]
    return list(getattr(error, "faults", []))


def sentence_of(faults: Sequence[Fault]) -> str:
    """Return what is wrong first, and how much more there is."""
    first = faults[0]
    lead = f"{first['attr']}: {first['detail']}" if first["attr"] else first["detail"]
    return lead if len(faults) == 1 else f"{lead} ({len(faults) - 1} more)"


def retry_after_s(error: ForetellError) -> int:
    """Return after how many seconds to try again, where the status is 429 or 503."""
    return int(error.details.get("retry_after_s", RETRY_AFTER_S))
