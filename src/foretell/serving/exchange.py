"""One HTTP request on the lane: its headers, its body under a limit, and what was found out about it on the way."""

import asyncio
import sys
import time
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from foretell.addresses import normalised_host, trusted_address
from foretell.asgi import Message, Receive, Scope
from foretell.errors import ForetellError
from foretell.ids import is_sane_request_id, uuid7_text
from foretell.limits import Claim, Decision
from foretell.serving.catalogue import Principal, Tenant

if TYPE_CHECKING:
    from foretell.serving.admission import Admission

Headers = dict[bytes, bytes]
MAX_HOST_CHARS = 300  # a name of 253, a final dot, a port
MAX_DIGITS = 18  # of a length that is worth reading


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every request of an installation.

    max_body_bytes : the largest body of a prediction, and what a compressed one may become.
    trusted_proxies : how many of our own proxies stand before this server; each adds to X-Forwarded-For.
    operators_host : where no tenant is, at no address; "" where there is none.
    """

    max_body_bytes: int
    trusted_proxies: int = 0
    operators_host: str = ""


class ClientGone(Exception):
    """The client went away before its body was whole: nobody is left to answer."""


class BodyTooLarge(ForetellError):
    code = "too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than the {limit:,} bytes that this address takes.")


class BadEncoding(ForetellError):
    """A compressed body that cannot be undone."""

    code = "bad_request"


class Head:
    """What the head of a request says, read once.

    Optimization: our server knows a head again that a connection sends again and again, and what was read of it is kept with it.

    path : the address without the tenant's prefix.
    prefix : the tenant's name where the address begins with ``/t/<name>``, else None.
    host : the one that was asked; None where it is none.
    offered_id : the caller's own id of the request, where it is a sane one.
    takes_session : whether a browser's session is a credential here; where it is, the page's origin was looked at.
    mark : what the credentials are known by (`Door`).
    """

    __slots__ = (
        "admission",
        "headers",
        "host",
        "mark",
        "media_type",
        "method",
        "n_body_bytes",
        "offered_id",
        "path",
        "prefix",
        "query",
        "takes_session",
    )

    def __init__(self, scope: Scope, *, path: str, prefix: str | None, takes_session: bool = False) -> None:
        self.method: str = scope.get("method", "GET")  # a WebSocket's handshake has none
        self.path, self.prefix, self.query = path, prefix, scope.get("query_string", b"")
        self.takes_session = takes_session
        self.headers = headers = joined_headers(scope["headers"])
        self.host = host_of(headers.get(b"host", b""))
        self.media_type = media_type_of(headers.get(b"content-type", b""))
        offered = headers.get(b"x-request-id", b"").decode("latin-1")
        self.offered_id = offered if is_sane_request_id(offered) else None
        self.n_body_bytes = declared_bytes(headers.get(b"content-length", b""))
        self.mark: bytes | None = None
        self.admission: Admission | None = None


class Exchange:
    """What a face works with: a request's head and body, and what was found out about it on the way.

    Optimization: what is not known yet is said once, on the class.

    model_name, version, n_rows : what was asked, as far as it exists; for the metrics.
    claims, decision : the limits that were asked, and what they said.
    """

    face = ""
    tenant: Tenant | None = None
    principal: Principal | None = None
    claims: Sequence[Claim] = ()
    decision: Decision | None = None
    model_ms: float | None = None
    model_name, n_rows = "", 0
    version: int | None = None
    read: bytes | None = None  #: the body, as far as it was asked for
    _is_unpacked = False

    def __init__(self, head: Head, scope: Scope, receive: Receive, *, terms: Terms, body: bytes | None = None) -> None:
        self.head, self.scope, self._receive, self._terms = head, scope, receive, terms
        self.headers = head.headers
        self.started = time.perf_counter()
        self.known_id = head.offered_id  #: the request's id, where it has one by now
        if body is not None:
            self.read = body

    @property
    def is_at_operators(self) -> bool:
        host = self._terms.operators_host
        return host != "" and self.head.host == host

    @property
    def method(self) -> str:
        return self.head.method

    @property
    def path(self) -> str:
        return self.head.path

    @property
    def prefix(self) -> str | None:
        return self.head.prefix

    @property
    def media_type(self) -> str:
        """The content type without its parameters; "" where there is none."""
        return self.head.media_type

    @property
    def request_id(self) -> str:
        """The caller's own, where it is a sane one, or ours; an answered prediction's is the prediction's."""
        if self.known_id is None:
            self.known_id = uuid7_text()
        return self.known_id

    @property
    def client(self) -> str:
        """The address that asks: the connection's, or what the outermost of our proxies saw."""
        peer: Any = self.scope.get("client")
        address = str(peer[0]) if peer else ""
        return trusted_address(address, self.header(b"x-forwarded-for") or "", proxies=self._terms.trusted_proxies)

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def refuse_large_body(self) -> None:
        """Refuse by the declared length, before a byte of the body is read."""
        if self.head.n_body_bytes > self._terms.max_body_bytes:
            raise BodyTooLarge(self._terms.max_body_bytes)

    async def body(self, *, decompress: bool = False) -> bytes:
        """Return the whole body; with `decompress`, what gzip or deflate (`Content-Encoding`) made small.

        Raises
        ------
        BodyTooLarge
            as soon as more has come, or would come out, than the address takes.
        BadEncoding, ClientGone
        """
        if self.read is None:
            message = await self._receive()
            is_whole = message["type"] == "http.request" and not message.get("more_body", False)
            self.read = message.get("body", b"") if is_whole else await self._joined(message)
        if len(self.read) > self._terms.max_body_bytes:
            raise BodyTooLarge(self._terms.max_body_bytes)
        if decompress and not self._is_unpacked and (encoding := self.header(b"content-encoding")):
            # In a thread: a few bytes may become as many as the address takes. Whoever asks again gets the plain body, whose
            # size says what it will cost.
            self.read = await asyncio.to_thread(decompressed, self.read, encoding, max_bytes=self._terms.max_body_bytes)
            self._is_unpacked = True
        return self.read

    async def _joined(self, message: Message) -> bytes:
        """Return the body that begins with this message."""
        parts, size = [], 0
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGone
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._terms.max_body_bytes:
                raise BodyTooLarge(self._terms.max_body_bytes)
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)
            message = await self._receive()


def declared_bytes(content_length: bytes) -> int:
    """Return the length that a head declares; 0 where it declares none."""
    if not content_length.isdigit():
        return 0
    return int(content_length) if len(content_length) <= MAX_DIGITS else sys.maxsize


@lru_cache(maxsize=4_096)
def _normalised(header: bytes) -> str | None:
    return normalised_host(header.decode("latin-1"))


def host_of(header: bytes) -> str | None:
    """Return the host that a header names; no host name is longer than what is looked at."""
    return _normalised(header) if len(header) <= MAX_HOST_CHARS else None


@lru_cache(maxsize=256)
def media_type_of(content_type: bytes) -> str:
    return content_type.decode("latin-1").split(";", 1)[0].strip().lower()


def joined_headers(pairs: Any) -> Headers:
    """Return headers by name; one that came twice has both values, joined by a comma, as Django joins them.

    Security: two Host headers are then no host name at all, and two credentials no credential.
    """
    headers: Headers = dict(pairs)
    if len(headers) != len(pairs):
        headers = {}
        for name, value in pairs:
            headers[name] = headers[name] + b"," + value if name in headers else value
    return headers


def decompressed(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """Undo gzip or deflate.

    Security: at most one byte more than `max_bytes` is ever made of it, however small the bomb.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise BadEncoding(f"Found Content-Encoding {encoding[:40]!r}; expected gzip or deflate.")
    try:
        return _inflated(body, 31 if encoding != "deflate" else 15, max_bytes)
    except zlib.error as err:
        raise BadEncoding(f"The body is not {encoding}, though Content-Encoding says so: {err}.") from None


def _inflated(body: bytes, window_bits: int, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(window_bits)
    result = inflater.decompress(body, max_bytes + 1)
    if len(result) > max_bytes:
        raise BodyTooLarge(max_bytes)
    if not inflater.eof:
        raise zlib.error("it ends too early")
    if inflater.unused_data:  # it would be dropped without a word, with the rows in it
        raise zlib.error("more comes behind its end; compress it as one")
    return result
