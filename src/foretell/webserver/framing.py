"""What the parser lets pass and two readers could understand differently: refused, before anyone reads on.

llhttp itself refuses a repeated, signed, empty or listed Content-Length, one beside a Transfer-Encoding, bare line feeds, folded
headers, spaces before a colon and malformed chunks.
"""

import re
from collections.abc import Sequence

from foretell.webserver.refusals import Header, malformed

AUTHORITY = re.compile(rb"[/?#]")
VERSIONS = ("1.1", "1.0")


def check_head(headers: Sequence[Header], version: str) -> None:
    """Raise a Refusal where it is not clear for whom the request is, or where its body ends.

    Security: a proxy that understands it otherwise would let one client's bytes become another's request.
    Optimization: nearly every head has each header once, a host, and a body of known length; that is seen at once.
    """
    if version not in VERSIONS:
        raise malformed(f"HTTP/{version}; HTTP/1.1 was expected")
    found = dict(headers)
    if len(found) != len(headers):
        _check_single(headers, b"host")
        _check_single(headers, b"transfer-encoding")
    if b"host" not in found and version == "1.1":
        raise malformed("no Host header")
    if b"transfer-encoding" in found and (version != "1.1" or found[b"transfer-encoding"].lower() != b"chunked"):
        raise malformed("Transfer-Encoding; `chunked` over HTTP/1.1 is what is taken")


def check_authority(url: bytes, headers: Sequence[Header]) -> None:
    """Raise a Refusal where a whole URL is for another host than the Host header says.

    Security: the one chooses the tenant here, the other (RFC 9112, 3.2.2) at a proxy.
    """
    authority = AUTHORITY.split(url.partition(b"://")[2], maxsplit=1)[0]
    host = dict(headers).get(b"host")
    if host is not None and host.lower() != authority.lower():
        raise malformed("its address names another host than its Host header")


def head_bytes(url: bytes, headers: Sequence[Header]) -> int:
    """Return the size of the head, without its method and version."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def _check_single(headers: Sequence[Header], name: bytes) -> None:
    found = sum(header[0] == name for header in headers)
    if found > 1:
        raise malformed(f"{found} {name.decode().title()} headers; one was expected")
