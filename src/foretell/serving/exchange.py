"""One HTTP request on the lane: its headers, its body under a limit, and what was found out about it on the way."""

import asyncio
import time
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from foretell.addresses import trusted_address
from foretell.asgi import Receive, Scope
from foretell.errors import ForetellError
from foretell.ids import is_sane_request_id, uuid7_text
from foretell.limits import Claim, Decision
from foretell.serving.catalogue import Principal, Tenant

Headers = dict[bytes, bytes]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every request of an installation.

    max_body_bytes : the largest body of a prediction, and what a compressed one may become.
    trusted_proxies : how many of our own proxies stand before this server; each adds to X-Forwarded-For.
    """

    max_body_bytes: int
    trusted_proxies: int = 0


class ClientGone(Exception):
    """The client went away before its body was whole: nobody is left to answer."""


class BodyTooLarge(ForetellError):
    code = "too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than the {limit:,} bytes that this address takes.")


class BadEncoding(ForetellError):
    """A compressed body that cannot be undone."""

    code = "bad_request"


class Exchange:
    """What a face works with.

    path : the address without the tenant's prefix.
    prefix : the tenant's name where the address begins with ``/t/<name>``, else None.
    model_name, version, n_rows : what was asked, as far as it exists; for the metrics.
    takes_session : whether a browser's session is a credential here; where it is, the page's origin was looked at.
    """

    __slots__ = (
        "_body", "_receive", "_request_id", "claims", "decision", "face", "headers", "max_body_bytes", "method", "model_ms",
        "model_name", "n_rows", "path", "prefix", "principal", "proxies", "scope", "started", "takes_session",
        "tenant", "version",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        *,
        path: str,
        prefix: str | None,
        terms: Terms,
        body: bytes | None = None,
        takes_session: bool = False,
    ) -> None:
        self.scope, self._receive = scope, receive
        self.method: str = scope.get("method", "GET")  # a WebSocket's handshake has none
        self.path, self.prefix = path, prefix
        self.max_body_bytes, self.proxies = terms.max_body_bytes, terms.trusted_proxies
        self.takes_session = takes_session
        self.headers = joined_headers(scope["headers"])
        self.started = time.perf_counter()
        self.face = ""
        self.tenant: Tenant | None = None
        self.principal: Principal | None = None
        self.claims: Sequence[Claim] = ()
        self.decision: Decision | None = None
        self.model_ms: float | None = None
        self.model_name, self.n_rows = "", 0
        self.version: int | None = None
        self._body = body
        self._request_id: str | None = None

    @property
    def request_id(self) -> str:
        """The caller's own, where it is a sane one, or ours."""
        if self._request_id is None:
            offered = self.headers.get(b"x-request-id", b"").decode("latin-1")
            self._request_id = offered if is_sane_request_id(offered) else uuid7_text()
        return self._request_id

    @property
    def client(self) -> str:
        """The address that asks: the connection's, or what the outermost of our proxies saw."""
        peer: Any = self.scope.get("client")
        address = str(peer[0]) if peer else ""
        return trusted_address(address, self.header(b"x-forwarded-for") or "", proxies=self.proxies)

    @property
    def media_type(self) -> str:
        """The content type without its parameters; "" where there is none."""
        return media_type_of(self.headers.get(b"content-type", b""))

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def refuse_large_body(self) -> None:
        """Refuse by the declared length, before a byte of the body is read."""
        declared = self.headers.get(b"content-length", b"")
        if len(declared) > 5 and declared.isdigit() and int(declared) > self.max_body_bytes:
            raise BodyTooLarge(self.max_body_bytes)

    async def body(self, *, decompress: bool = False) -> bytes:
        """Return the whole body; with `decompress`, what gzip or deflate (`Content-Encoding`) made small.

        Raises
        ------
        BodyTooLarge
            as soon as more has come, or would come out, than the address takes.
        BadEncoding, ClientGone
        """
        self._body = self._bounded(await self._read() if self._body is None else self._body)
        if decompress and (encoding := self.headers.pop(b"content-encoding", None)):
            # In a thread: a few bytes may become as many as the address takes. Whoever asks again gets the plain body, whose
            # size says what it will cost.
            self._body = await asyncio.to_thread(
                decompressed, self._body, encoding.decode("latin-1"), max_bytes=self.max_body_bytes
            )
        return self._body

    async def _read(self) -> bytes:
        message = await self._receive()
        if not message.get("more_body", False) and message["type"] == "http.request":
            whole: bytes = message.get("body", b"")
            return whole
        parts, size = [], 0
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGone
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self.max_body_bytes:
                raise BodyTooLarge(self.max_body_bytes)
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)
            message = await self._receive()

    def _bounded(self, body: bytes) -> bytes:
        if len(body) > self.max_body_bytes:
            raise BodyTooLarge(self.max_body_bytes)
        return body


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
    return result
