"""Tells a browser that a page of another site may read what a protocol answers, where the tenant allows that site (CORS).

Security: never with credentials. A page shows a key or a token, and is told no more than anybody who does.
"""

from foretell.serving.exchange import Exchange
from foretell.serving.responses import RawHeader, Response

ANY = "*"
PREFLIGHT_KEPT_S = 600
METHODS = b"GET, HEAD, POST, OPTIONS"
REQUEST_HEADERS = (
    b"Accept, Authorization, Content-Encoding, Content-Type, Inference-Header-Content-Length, X-API-Key, X-Request-ID"
)
EXPOSED = (
    b"Inference-Header-Content-Length, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, WWW-Authenticate, X-Request-ID"
)  # fmt: skip
PREFLIGHT: list[RawHeader] = [
    (b"access-control-allow-methods", METHODS),
    (b"access-control-allow-headers", REQUEST_HEADERS),
    (b"access-control-max-age", b"%d" % PREFLIGHT_KEPT_S),
]


def told(response: Response, exchange: Exchange, origin: bytes) -> Response:
    """Return the answer to a request that a page of `origin` may have sent.

    A preflight asks, without a credential, whether another method may follow: an address that refuses OPTIONS alone says that it may.
    """
    headers: list[RawHeader] = [*response.headers, (b"vary", b"Origin")]
    allowed = _allowed(exchange, origin)
    if allowed is not None:
        headers += [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", EXPOSED)]
        if response.status == 405 and _is_preflight(exchange):
            return Response(200, b"", b"text/plain", headers + PREFLIGHT)
    return Response(response.status, response.body, response.content_type, headers)


def _allowed(exchange: Exchange, origin: bytes) -> bytes | None:
    """Return what the answer says of an origin; None where it is not allowed, or nobody's address was asked."""
    allowed = exchange.tenant.origins if exchange.tenant is not None else frozenset[str]()
    if origin.decode("latin-1") in allowed:
        return origin
    return ANY.encode() if ANY in allowed else None


def _is_preflight(exchange: Exchange) -> bool:
    return exchange.method == "OPTIONS" and b"access-control-request-method" in exchange.headers
