"""The keys that a tenant's tokens are signed with: made, rotated, published, forgotten.

A key is published a day before it signs, and stays published until every token that it signed is over. Which one signs is a matter of
time alone: each from its `signs_from` to the next one's.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import IntegrityError, transaction

from foretell.accounts.tokens.claims import ALGORITHM, MAX_ACCESS_S
from foretell.accounts.tokens.models import SigningKey
from foretell.accounts.tokens.sealing import opened, sealed
from foretell.accounts.tokens.verifying import LEEWAY_S
from foretell.audit.recording import record

ROTATED_EVERY = timedelta(days=30)
PUBLISHED_AHEAD = timedelta(hours=24)
KEPT_BEHIND = timedelta(seconds=MAX_ACCESS_S + 2 * LEEWAY_S)  # two hosts' clocks may differ on either side

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key as the world sees it. verifies_until : None while no other key has followed it."""

    kid: str
    public_key: str
    signs_from: datetime
    verifies_until: datetime | None


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs now."""

    kid: str
    private_key: Ed25519PrivateKey = field(repr=False)


def published_keys(*, now: datetime) -> list[PublishedKey]:
    """Return the keys that tokens may be verified with: the next one, the one that signs, and those whose tokens are not over."""
    rows = list(SigningKey.objects.order_by("number"))
    return [key for key in _with_ends(rows) if key.verifies_until is None or now < key.verifies_until]


def signer(*, now: datetime) -> Signer:
    """Return the key that signs now; the first one is made when it is asked for."""
    rows = list(SigningKey.objects.order_by("number"))
    row = next((row for row in reversed(rows) if row.signs_from <= now), None)
    private_key = opened(bytes(row.sealed), kid=row.kid) if row else None
    if row is not None and private_key is not None:
        return Signer(row.kid, private_key)
    if row is not None:
        log.warning("a signing key cannot be opened, since SECRET_KEY was changed; another one is made", kid=row.kid)
    _make_key(signs_from=now, after=rows[-1] if rows else None)
    return signer(now=now)


def rotate_if_due(*, now: datetime) -> None:
    """Make the next key when its time comes near, and forget those whose tokens are all over."""
    last = SigningKey.objects.last()
    if last is None:
        _make_key(signs_from=now, after=None)
    elif now >= last.signs_from + ROTATED_EVERY - PUBLISHED_AHEAD:
        _make_key(signs_from=max(now + PUBLISHED_AHEAD, last.signs_from + ROTATED_EVERY), after=last)
    published = {key.kid for key in published_keys(now=now)}
    SigningKey.objects.filter(signs_from__lte=now).exclude(kid__in=published).delete()


def rotate(*, now: datetime) -> SigningKey:
    """Let another key follow in a day, when every service that keeps the JWKS for a while has seen it."""
    last = SigningKey.objects.last()
    if last is not None and last.signs_from > now:
        return last
    return _make_key(signs_from=now if last is None else now + PUBLISHED_AHEAD, after=last)


@transaction.atomic
def replace_all(*, now: datetime) -> SigningKey:
    """Let another key sign at once, and forget all others: for a key that somebody else may have. Every access token ends.

    Race condition: the new one comes first, so that nobody finds none and makes one more.
    """
    made = _make_key(signs_from=now, after=SigningKey.objects.last())
    others = SigningKey.objects.exclude(kid=made.kid)
    gone = ", ".join(others.values_list("kid", flat=True))
    others.delete()
    record(action="signing_key.replaced", target=("token", made.kid), before={"kid": gone}, after={"kid": made.kid})
    return made


def jwks(keys: Sequence[PublishedKey]) -> dict[str, list[dict[str, str]]]:
    """Return the set as RFC 7517 and RFC 8037 have it."""
    return {"keys": [{**_thumbprinted(key.public_key), "kid": key.kid, "use": "sig", "alg": ALGORITHM} for key in keys]}


@lru_cache(maxsize=4_096)
def to_public_key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "="))


def _make_key(*, signs_from: datetime, after: SigningKey | None) -> SigningKey:
    """Race condition: of several that want a key after the same one, one makes it, and all get that one."""
    number = after.number + 1 if after else 1
    private_key = Ed25519PrivateKey.generate()
    public_key = _base64url(private_key.public_key().public_bytes_raw())
    kid = _thumbprint(public_key)
    try:
        with transaction.atomic():
            made = SigningKey.objects.create(
                kid=kid, number=number, public_key=public_key, sealed=sealed(private_key, kid=kid), signs_from=signs_from
            )  # fmt: skip
            record(action="signing_key.created", target=("token", kid), after={"kid": kid})
            return made
    except IntegrityError:
        return SigningKey.objects.get(number=number)


def _with_ends(rows: Sequence[SigningKey]) -> list[PublishedKey]:
    ends = [after.signs_from + KEPT_BEHIND for _, after in pairwise(rows)]
    return [
        PublishedKey(row.kid, row.public_key, row.signs_from, end)
        for row, end in zip(rows, [*ends, None], strict=False)
    ]


def _thumbprint(public_key: str) -> str:
    """Return RFC 7638's name of a key: no two keys have one, in whatever tenant they are."""
    return _base64url(sha256(json.dumps(_thumbprinted(public_key), separators=(",", ":")).encode()).digest())


def _thumbprinted(public_key: str) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": public_key}


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
