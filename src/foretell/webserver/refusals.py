"""Answers that the protocol gives by itself, before or instead of the application: problem+json, as everywhere."""

import json
from collections.abc import Iterable
from http import HTTPStatus

from foretell import problems
from foretell.ids import uuid7

Header = tuple[bytes, bytes]


class Refusal(Exception):
    """Why a connection ends here; raised to get out of the parser's callbacks.

    Parameters
    ----------
    status, code, detail
        Of the problem that the client is told.
    retry_after_s
        When it is worth trying again.
    """

    def __init__(self, status: HTTPStatus, code: str, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.retry_after_s = status, code, detail, retry_after_s

    def answer(self, default_headers: Iterable[Header] = ()) -> bytes:
        """Return the whole answer; the connection is closed after it."""
        headers, body = self.content()
        lines = b"".join(b"%b: %b\r\n" % header for header in (*default_headers, *headers))
        return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (self.status, self.status.phrase.encode(), lines, body)

    def content(self) -> tuple[list[Header], bytes]:
        """Return headers and body."""
        identifier = str(uuid7())
        body = json.dumps(
            problems.problem(status=self.status, code=self.code, detail=self.detail, request_id=identifier)
        ).encode()
        headers: list[Header] = [
            (b"content-type", problems.CONTENT_TYPE.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", identifier.encode()),
            (b"connection", b"close"),
        ]
        if self.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % self.retry_after_s))
        return headers, body


def malformed(what: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "bad_request", f"This is not an HTTP request that can be read: {what}.")


def head_too_slow(seconds: float) -> Refusal:
    detail = f"The head of the request was not complete after {seconds:g} s."
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "timeout", detail)


def body_stalled(seconds: float) -> Refusal:
    detail = (
        f"The body of the request did not go on for {seconds:g} s. Send it in one go, or check its declared length."
    )
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "timeout", detail)


def body_too_slow(seconds: float) -> Refusal:
    detail = f"The body of the request was not complete after {seconds:.0f} s, which is too slow for its size."
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "timeout", detail)


def head_too_large(limit: int) -> Refusal:
    detail = f"Request line and headers are larger than the {limit:,} bytes that are taken."
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail)


def too_many_headers(found: int, limit: int) -> Refusal:
    detail = f"The request has {found} headers; at most {limit} are taken."
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail)


def too_many_connections(whose: str, limit: int) -> Refusal:
    detail = f"{whose} {limit} connections open, which is the limit. Use fewer, and use them again."
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, retry_after_s=1)


def too_busy() -> Refusal:
    detail = "This server is too busy to take another request."
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, retry_after_s=1)


def broken() -> Refusal:
    return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "error", problems.BROKEN)


def stopped() -> Refusal:
    detail = "This server was stopped before it could answer. Ask again; whether it was done is not known."
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, retry_after_s=1)
