"""An answer in one message and one write, for applications that have all of it: an ASGI extension of this server's own.

A head and a body sent apart are two messages, two system calls and two packets, and each header is looked at by itself: more than a
prediction takes. An application that finds `WHOLE` among the scope's extensions may send, in the place of both messages,

``{"type": WHOLE, "status": 200, "head": bytes, "n_headers": int, "body": bytes, "is_last": False}``

head : the headers as they go over the wire, each with its line break; the content's length is among them.
n_headers : how many they are. Security: a value that has a line break of its own is found by this, and never sent.
is_last : whether the connection ends behind this answer; it may be left out.

`MEMO`, another extension, is a dictionary that stays with the request's head for as long as clients send the same head, byte for byte:
there an application may keep what it derives from the head alone. Security: not from the connection, which may be another one each time.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

WHOLE = "foretell.http.response"
MEMO = "foretell.http.head"
CLOSE = b"connection: close\r\n"
WITHOUT_BODY = (204, 304)

RawHeader = tuple[bytes, bytes]


def extensions() -> dict[str, dict[Any, Any]]:
    """Return what the scope of a new head offers."""
    return {WHOLE: {}, MEMO: {}}


def header_lines(headers: list[RawHeader]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def check_lines(head: bytes, n_headers: int) -> None:
    """Refuse a head that is not `n_headers` lines.

    Raises
    ------
    RuntimeError
        where a header has a line of its own. Security: what is echoed to a client must not become another header, or another answer.
    """
    if head.count(b"\r\n") != n_headers or head.count(b"\n") != n_headers or head.count(b"\r") != n_headers:
        raise RuntimeError("Invalid HTTP header: it has a line break.")


def whole_answer(status: int, head: bytes, body: bytes) -> bytes:
    return b"%b%b\r\n%b" % (STATUS_LINE[status], head, body)
