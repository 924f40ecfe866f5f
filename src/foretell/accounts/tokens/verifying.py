"""Whether a text is an access token of ours: one function, for Django's views and the fast lane. No tables, and nothing waits.

Security (RFC 8725): the algorithm is ours and never the token's; its header names our key and nothing else, so that no address, key
or certificate in it is ever looked at; what two readers could read differently is refused before its signature is.
"""

import base64
import re
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from foretell.accounts.tokens.claims import ALGORITHM, MAX_ACCESS_S, TYPE, AccessToken, read_claims
from foretell.credentials import MAX_CREDENTIAL_CHARS
from foretell.inference.codec.strict_json import loads
from foretell.inference.errors import InvalidInput

LEEWAY_S = 30  # how far another host's clock may be ahead; a token's end is kept to the second
FORM = re.compile(r"(?P<header>[A-Za-z0-9_-]{1,512})\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
KID = re.compile(r"[A-Za-z0-9_-]{43}")
REQUIRED = ["iss", "aud", "sub", "jti", "iat", "nbf", "exp"]

PublicKeyOf = Callable[[str], Ed25519PublicKey | None]


class StrictJWT(jwt.PyJWT):
    """PyJWT, but no claim may come twice."""

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        payload = _object(decoded["payload"])
        if payload is None:
            raise jwt.DecodeError("The payload is no JSON object with distinct keys.")
        return payload


_decoder = StrictJWT(options={"require": REQUIRED, "strict_aud": True})


def verified(token: str, *, public_key_of: PublicKeyOf, issuer: str, audience: str, now_s: float) -> AccessToken | None:
    """Return what a token says; None where it is none, not ours, of another tenant, not valid yet, or over.

    Parameters
    ----------
    public_key_of
        The key of this id; None where there is none, or none any more.
    """
    kid = key_id_of(token)
    key = None if kid is None else public_key_of(kid)
    if key is None:
        return None
    payload = _payload(token, key, issuer=issuer, audience=audience)
    claims = None if payload is None else read_claims(payload)
    if claims is None or not now_s < claims.exp <= claims.iat + MAX_ACCESS_S:
        return None
    return claims


def key_id_of(token: str) -> str | None:
    """Return the id of the key that a token names, where its form and its header are those of ours."""
    match = FORM.fullmatch(token) if len(token) <= MAX_CREDENTIAL_CHARS else None
    header = _object(_decoded(match["header"])) if match else None
    if header is None or header.keys() != {"alg", "kid", "typ"}:
        return None
    kid = header["kid"]
    is_ours = (header["alg"], header["typ"]) == (ALGORITHM, TYPE) and isinstance(kid, str) and KID.fullmatch(kid)
    return kid if is_ours else None


def _payload(token: str, key: Ed25519PublicKey, *, issuer: str, audience: str) -> dict[str, Any] | None:
    try:
        return _decoder.decode(
            token, key=key, algorithms=[ALGORITHM], issuer=issuer, audience=audience, leeway=LEEWAY_S
        )  # fmt: skip
    except jwt.InvalidTokenError:
        return None


def _decoded(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        return b""


def _object(text: bytes) -> dict[str, Any] | None:
    """Return the JSON object that this is, with each key once; None where it is none."""
    try:
        found = loads(text)
    except InvalidInput:
        return None
    return found if isinstance(found, dict) else None
