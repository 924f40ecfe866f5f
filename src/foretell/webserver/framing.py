"""What the parser lets pass and two readers could understand differently: refused, before anyone reads on.

llhttp itself refuses a repeated, signed, empty or listed Content-Length, one beside a Transfer-Encoding, bare line feeds, folded
headers, spaces before a colon and malformed chunks.
"""

from collections.abc import Iterable

from foretell.webserver.refusals import Header, malformed

VERSIONS = ("1.1", "1.0")


def check_head(version: str, headers: Iterable[Header]) -> None:
    """Raise a Refusal where it is not clear for whom the request is, or where its body ends.

    Security: a proxy that understands it otherwise would let one client's bytes become another's request.
    """
    if version not in VERSIONS:
        raise malformed(f"HTTP/{version}; HTTP/1.1 was expected")
    hosts = codings = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding":
            codings += 1
            if codings > 1 or version == "1.0" or value.strip().lower() != b"chunked":
                raise malformed("Transfer-Encoding; `chunked`, once, over HTTP/1.1 is what is taken")
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        raise malformed(f"{hosts} Host headers; one was expected")


def head_bytes(url: bytes, headers: Iterable[Header]) -> int:
    """Return the size of the head, without its method and version."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)
