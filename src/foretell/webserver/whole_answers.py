"""An answer in one message and one write, for applications that have all of it: an ASGI extension of this server's own.

A head and a body sent apart are two messages, two system calls and two packets, and each header is looked at by itself: more than a
prediction takes. An application that finds `WHOLE` among the scope's extensions may send
``{"type": WHOLE, "status", "headers", "body"}`` in the place of both messages; the headers are to have the content's length.
"""

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

WHOLE = "foretell.http.response"
EXTENSIONS: dict[str, dict[object, object]] = {WHOLE: {}}
CLOSE = (b"connection", b"close")
WITHOUT_BODY = (204, 304)

RawHeader = tuple[bytes, bytes]


def whole_answer(status: int, headers: Iterable[RawHeader], body: bytes) -> bytes:
    """Return the bytes of an answer.

    Raises
    ------
    RuntimeError
        where a header has a line of its own. Security: what is echoed to a client must not become another header, or another answer.
    """
    lines = [b"%s: %s\r\n" % header for header in headers]
    head = b"".join(lines)
    if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
        raise RuntimeError("Invalid HTTP header: it has a line break.")
    return b"".join((STATUS_LINE[status], head, b"\r\n", body))
