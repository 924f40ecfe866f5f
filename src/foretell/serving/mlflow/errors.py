"""Errors as MLflow's server writes them: an ``error_code`` of its own list and a message. No stack trace, and nothing of the body."""

import msgspec

from foretell.errors import ForetellError
from foretell.inference.errors import InvalidInput
from foretell.inference.json_tables import MalformedTable
from foretell.problems import status_of
from foretell.serving.exchange import Exchange
from foretell.serving.mlflow.media_types import UnknownContentType
from foretell.serving.plain_json import allow_header, message_of
from foretell.serving.responses import Response, UnknownAddress, failure_headers

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}
_BAD_REQUEST = {"error_code": "BAD_REQUEST", "sqlstate": "KAM00", "error_class": "INVALID_PARAMETER_VALUE"}
_WRONG_PARAMS = {**_BAD_REQUEST, "error_code": "INVALID_PARAMETER_VALUE"}
_WRONG_SCHEMA = {
    "error_code": "INVALID_PARAMETER_VALUE",
    "sqlstate": "KAM01",
    "error_class": "SCHEMA_ENFORCEMENT_FAILED",
}


def mlflow_error(error: ForetellError, exchange: Exchange) -> Response:
    status = status_of(error)
    if isinstance(error, UnknownContentType):
        return Response(status, error.message.encode(), b"text/plain")
    body = {**_named(error, status), "message": _message(error, status)}
    if not isinstance(error, UnknownAddress):
        body["request_id"] = exchange.request_id
    return Response(status, msgspec.json.encode(body), headers=[*failure_headers(error, status), *allow_header(error)])


def _named(error: ForetellError, status: int) -> dict[str, str]:
    if isinstance(error, MalformedTable):
        return _WRONG_PARAMS if error.problems[0].attr == "params" else _BAD_REQUEST
    if isinstance(error, InvalidInput):
        return _WRONG_SCHEMA
    if status == 400:
        return _BAD_REQUEST
    return {"error_code": CODES.get(status, "BAD_REQUEST")}


def _message(error: ForetellError, status: int) -> str:
    said = message_of(error, status)
    if not isinstance(error, InvalidInput) or isinstance(error, MalformedTable):
        return said
    missing = [problem.attr for problem in error.problems if problem.code == "required" and _is_column(problem.attr)]
    lead = f" Model is missing inputs {missing[:20]}." if missing else ""
    return f"Failed to enforce schema.{lead} {said}"


def _is_column(attr: str) -> bool:
    """Whether a fault is a whole column's, and not that of one row."""
    return not any(part.isdigit() for part in attr.split("."))
