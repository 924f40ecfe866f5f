"""What goes back: a status, a body and headers, and how it is sent. Problems are written here for all faces that speak them."""

import time
from typing import Any

import msgspec

from foretell import problems
from foretell.asgi import Send
from foretell.credentials import CHALLENGE
from foretell.errors import ForetellError
from foretell.limits import limit_header, policy_header
from foretell.problems import faults_of, problem, retry_after_s, status_of
from foretell.serving.exchange import Exchange

JSON = b"application/json"
WHOLE = "foretell.http.response"  # our own server's extension (webserver.whole_answers): head and body in one message
PROBLEM = problems.CONTENT_TYPE.encode()

RawHeader = tuple[bytes, bytes]


class Response(msgspec.Struct):
    status: int
    body: bytes
    content_type: bytes = JSON
    headers: list[RawHeader] = []


class UnknownAddress(ForetellError):
    """No tenant is at this address; the body is constant, whatever the address was."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(problems.NOT_FOUND)


def problem_of(error: ForetellError, exchange: Exchange) -> Response:
    """Return an error in our own API's words."""
    status = status_of(error)
    if isinstance(error, UnknownAddress):
        return Response(status, problems.UNKNOWN_ADDRESS, PROBLEM)
    body = problem_body(error, status, request_id=exchange.request_id)
    return Response(status, msgspec.json.encode(body), PROBLEM, failure_headers(error, status))


def problem_body(error: ForetellError, status: int, *, request_id: str) -> dict[str, Any]:
    """Return the members of a problem; what nobody raised on purpose shows the request's id and nothing else."""
    if status == 500:
        return problem(status=status, code="error", detail=problems.BROKEN, request_id=request_id)
    return problem(status=status, code=error.code, detail=error.message, request_id=request_id, errors=faults_of(error))


def failure_headers(error: ForetellError, status: int) -> list[RawHeader]:
    """Return what the status promises beside the body, whatever the protocol."""
    if status == 401:
        return [(b"www-authenticate", CHALLENGE.encode())]
    if status in (429, 503):
        return [(b"retry-after", str(retry_after_s(error)).encode())]
    if status == 413:
        return [(b"connection", b"close")]  # what is still on its way is not read
    return []


async def send_response(send: Send, exchange: Exchange, response: Response) -> None:
    body = response.body
    headers: list[RawHeader] = [
        (b"content-type", response.content_type),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", exchange.request_id.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"server-timing", _timing(exchange)),
        *_limit_headers(exchange),
        *response.headers,
    ]
    if WHOLE in exchange.scope.get("extensions", ()):
        await send({"type": WHOLE, "status": response.status, "headers": headers, "body": body})
        return
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body if exchange.method != "HEAD" else b""})


def _limit_headers(exchange: Exchange) -> tuple[RawHeader, ...]:
    decision, principal = exchange.decision, exchange.principal
    if decision is None or principal is None:
        return ()
    is_usual = exchange.claims is principal.claims
    policies = principal.policies if is_usual else policy_header(exchange.claims)
    return ((b"ratelimit-policy", policies), (b"ratelimit", limit_header(decision)))


def _timing(exchange: Exchange) -> bytes:
    total_ms = (time.perf_counter() - exchange.started) * 1e3
    if exchange.model_ms is None:
        return b"total;dur=%.2f" % total_ms
    return b"model;dur=%.2f, total;dur=%.2f" % (exchange.model_ms, total_ms)
