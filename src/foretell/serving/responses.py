"""What goes back: a status, a body and headers, and how it is sent. Problems are written here for all faces that speak them."""

import time
from typing import Any

import msgspec

from foretell import problems
from foretell.asgi import Send
from foretell.credentials import CHALLENGE, PRIVATE
from foretell.errors import ForetellError
from foretell.limits import limit_header, policy_header
from foretell.problems import faults_of, problem, retry_after_s, status_of
from foretell.serving.exchange import Exchange

JSON = b"application/json"
# Our own server's extensions (webserver.whole_answers): head and body in one message; and what is kept with a head.
WHOLE, MEMO = "foretell.http.response", "foretell.http.head"
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
    return []


async def send_response(send: Send, exchange: Exchange, response: Response) -> None:
    head, n_headers = head_of(exchange, response)
    status, body = response.status, response.body
    if WHOLE in exchange.scope.get("extensions", ()):
        is_last = status == 413  # what is still on its way is not read
        await send(
            {"type": WHOLE, "status": status, "head": head, "n_headers": n_headers, "body": body, "is_last": is_last}
        )
        return
    headers = [tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")[:-1]]
    if status == 413:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body if exchange.method != "HEAD" else b""})


def head_of(exchange: Exchange, response: Response) -> tuple[bytes, int]:
    """Return the headers of an answer, as lines, and how many they are."""
    decision, principal = exchange.decision, exchange.principal
    head = _HEAD % (response.content_type, len(response.body), exchange.request_id.encode(), _timing(exchange))
    n_headers = _N_HEADERS + len(response.headers)
    if decision is not None and principal is not None:
        is_usual = exchange.claims is principal.claims
        policies = principal.policies if is_usual else policy_header(exchange.claims)
        head += b"ratelimit-policy: %b\r\nratelimit: %b\r\n" % (policies, limit_header(decision))
        n_headers += 2
    for header in response.headers:
        head += b"%b: %b\r\n" % header
    return head, n_headers


# Security: to a shared cache an answer to `X-API-Key` would be anybody's (`core.private_answers` says the same of Django's).
_HEAD = (
    b"content-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\nx-content-type-options: nosniff\r\nserver-timing: %b\r\n"
    + f"cache-control: {PRIVATE}\r\n".encode()
)
_N_HEADERS = _HEAD.count(b"\r\n")


def _timing(exchange: Exchange) -> bytes:
    total_ms = (time.perf_counter() - exchange.started) * 1e3
    if exchange.model_ms is None:
        return b"total;dur=%.2f" % total_ms
    return b"model;dur=%.2f, total;dur=%.2f" % (exchange.model_ms, total_ms)
