"""Answers of the Open Inference Protocol and of KServe: JSON, and for errors an object whose ``error`` is a text."""

from typing import Any

import msgspec

from foretell.errors import ForetellError
from foretell.problems import BROKEN, faults_of, status_of
from foretell.refusals import VersionNotReady
from foretell.serving.exchange import Exchange
from foretell.serving.responses import RawHeader, Response, UnknownAddress, failure_headers

MAX_FAULTS_SAID = 3


def replied(body: Any) -> Response:
    return Response(200, msgspec.json.encode(body))


def plain_error(error: ForetellError, exchange: Exchange) -> Response:
    """Return an error whose text clients show, with what our own API says beside it."""
    # Both protocols answer 503 for a model that is known but cannot be asked yet; their clients try again.
    status = 503 if isinstance(error, VersionNotReady) else status_of(error)
    if isinstance(error, UnknownAddress):
        return Response(status, msgspec.json.encode({"error": error.message}))
    body: dict[str, Any] = {"error": message_of(error, status), "request_id": exchange.request_id}
    if status != 500:
        body["code"] = error.code
        if faults := faults_of(error):
            body["errors"] = faults
    return Response(status, msgspec.json.encode(body), headers=[*failure_headers(error, status), *allow_header(error)])


def message_of(error: ForetellError, status: int) -> str:
    """Return the error in one text: the first faults, and how many there are beside them."""
    if status == 500:
        return BROKEN
    faults = faults_of(error)
    if not faults:
        return error.message
    said = [f"{fault['attr']}: {fault['detail']}" if fault["attr"] else fault["detail"] for fault in faults]
    more = f" ({len(said) - MAX_FAULTS_SAID} more)" if len(said) > MAX_FAULTS_SAID else ""
    return " ".join(said[:MAX_FAULTS_SAID]) + more


def allow_header(error: ForetellError) -> list[RawHeader]:
    allowed = error.details.get("allow")
    return [(b"allow", str(allowed).encode())] if allowed else []
