"""The form of a refresh token: `ftr_` and 54 bytes in base64url: the family's id, a number, and a MAC over both.

Security: the MAC needs the family's secret, which is in the database, and the installation's key, which is not; either alone makes no
token. It is of the tenant too. Whoever holds one token of a family can make no other one of it.
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from foretell.accounts.tokens.sealing import derived
from foretell.core.tenancy import current_tenant

PREFIX = "ftr_"
PATTERN = re.compile(rf"{PREFIX}(?P<body>[A-Za-z0-9_-]{{72}})")
ID_BYTES, NUMBER_BYTES, MAC_BYTES = 16, 6, 32


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What was presented; `is_right` says whether we made it."""

    family_id: UUID
    number: int
    mac: bytes = field(repr=False)


def new_token(*, family_id: UUID, number: int, secret: bytes) -> str:
    """Return the token of this number. It is the same one each time: what is handed out again is no second successor."""
    body = _body(family_id, number)
    return PREFIX + base64.urlsafe_b64encode(body + _mac(body, secret)).decode()


def parse_token(text: str) -> RefreshToken | None:
    """Return what `text` names, or None where it has not the form of a refresh token."""
    match = PATTERN.fullmatch(text)
    if match is None:
        return None
    try:
        found = base64.b64decode(match["body"], altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    number_end = ID_BYTES + NUMBER_BYTES
    return RefreshToken(
        UUID(bytes=found[:ID_BYTES]), int.from_bytes(found[ID_BYTES:number_end], "big"), found[number_end:]
    )


def is_right(token: RefreshToken, *, secret: bytes) -> bool:
    """Whether this installation made the token, for the tenant at hand and the family with this secret."""
    return hmac.compare_digest(token.mac, _mac(_body(token.family_id, token.number), secret))


def _body(family_id: UUID, number: int) -> bytes:
    return family_id.bytes + number.to_bytes(NUMBER_BYTES, "big")


def _mac(body: bytes, secret: bytes) -> bytes:
    mac = hmac.new(derived("refresh tokens"), current_tenant().id.bytes, sha256)
    mac.update(body)
    mac.update(bytes(secret))
    return mac.digest()
