"""Who is the first with a key, and what everybody after it gets."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from foretell.core.idempotency import sealing
from foretell.core.idempotency.errors import KeyInUse, KeyReused
from foretell.core.idempotency.models import KeptAnswer

KEPT_FOR = timedelta(hours=24)
WORKED_ON_FOR = timedelta(minutes=2)  # then whoever claimed it is taken for dead


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that is the first with its key: what it is answered will be kept under `place`."""

    place: str
    key: str
    number: uuid.UUID


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer to the first request."""

    status: int
    answer: sealing.Answer


def claim(*, place: str, key: str, fingerprint: str, now: datetime) -> Claim | Kept:
    """Return the claim of the first request with a key; of any other, what the first was answered.

    Raises
    ------
    KeyReused, KeyInUse
    """
    number = uuid.uuid4()
    fields: dict[str, Any] = {
        "fingerprint": fingerprint, "claim": number, "claimed_until": now + WORKED_ON_FOR, "expires_at": now + KEPT_FOR,
        "status": None, "sealed": b"",
    }  # fmt: skip
    if _is_taken_over(place, now, fields) or _is_new(place, fields):
        return Claim(place, key, number)
    row = KeptAnswer.objects.filter(place=place).first()
    if row is None:  # the first one failed at this very moment, and left nothing
        raise KeyInUse
    if row.fingerprint != fingerprint:
        raise KeyReused
    answer = None if row.status is None else sealing.opened(bytes(row.sealed), place=place, key=key)
    if row.status is None or answer is None:
        raise KeyInUse
    return Kept(row.status, answer)


def keep(claimed: Claim, *, status: int, sealed: bytes) -> None:
    """Keep an answer, unless somebody took the request for dead and did it again."""
    KeptAnswer.objects.filter(place=claimed.place, claim=claimed.number).update(status=status, sealed=sealed)


def release(claimed: Claim) -> None:
    """Forget the claim: what changed nothing may be tried again."""
    KeptAnswer.objects.filter(place=claimed.place, claim=claimed.number).delete()


def forget_expired(*, now: datetime) -> int:
    return KeptAnswer.objects.filter(expires_at__lt=now).delete()[0]


def _is_taken_over(place: str, now: datetime, fields: dict[str, Any]) -> bool:
    """Race condition: of several that find it free, the database lets one change it."""
    is_free = Q(expires_at__lt=now) | Q(status=None, claimed_until__lt=now)
    return KeptAnswer.objects.filter(is_free, place=place).update(**fields) == 1


def _is_new(place: str, fields: dict[str, Any]) -> bool:
    try:
        with transaction.atomic():
            KeptAnswer.objects.create(place=place, **fields)
    except IntegrityError:
        return False
    return True
