"""What a tenant may use in a calendar month (UTC): requests and rows, counted exactly over all processes of a host."""

import struct
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from math import ceil
from pathlib import Path

from foretell.errors import ForetellError
from foretell.limits.refused import refused
from foretell.limits.tables import UNUSED, NoPlace, table_at

SLOTS = 4_096
# key, the month after the one that is counted (years times twelve plus months), requests, rows
COUNTERS = struct.Struct("@16sqqq")


class QuotaExceeded(ForetellError):
    """A month's quota is spent, or has too little left."""

    code = "quota_exceeded"
    kind = "throttled"

    def __init__(self, what: str, *, used: int, wanted: int, limit: int, now: datetime) -> None:
        end = month_end(now)
        super().__init__(
            f"This month's quota is {limit:,} {what}; {used:,} are used, and this asks for {wanted:,}. It begins anew at {end:%Y-%m-%d} "
            "00:00 UTC; an operator can raise it.",
            retry_after_s=max(1, ceil((end - now).total_seconds())), quota=what, limit=limit, used=used,
        )  # fmt: skip
        refused.note(f"quota of {what}")


class Quotas:
    """Counters by tenant and month in a file that outlives its processes.

    A file that is lost counts from nothing: `seed` brings it to what is known from elsewhere.
    """

    def __init__(self, path: Path, *, slots: int = SLOTS) -> None:
        self._table = table_at(path, slot_bytes=COUNTERS.size, slots=slots, boot="")

    def take(
        self, tenant_id: str, *, now: datetime, requests_limit: int | None, rows_limit: int | None, rows: int
    ) -> None:
        """Count one request and its rows; nothing is counted where it is refused.

        Raises
        ------
        QuotaExceeded
        """
        with self._table:
            offset, requests, used_rows = self._found(_key(tenant_id), month_of(now))
            _check("requests", used=requests, wanted=1, limit=requests_limit, now=now)
            _check("rows", used=used_rows, wanted=rows, limit=rows_limit, now=now)
            self._put(offset, tenant_id, now, requests + 1, used_rows + rows)

    def seed(self, tenant_id: str, *, now: datetime, requests: int, rows: int) -> None:
        """Bring the counters to at least what a ledger knows; it may lag behind them, and they are never lowered."""
        with self._table:
            offset, counted, counted_rows = self._found(_key(tenant_id), month_of(now))
            self._put(offset, tenant_id, now, max(counted, requests), max(counted_rows, rows))

    def used(self, tenant_id: str, *, now: datetime) -> tuple[int, int]:
        """Return the requests and rows of the month so far."""
        with self._table:
            _, requests, rows = self._found(_key(tenant_id), month_of(now))
            return requests, rows

    def forget(self, tenant_id: str) -> None:
        """Let go of what a tenant that is gone has used."""
        with self._table, suppress(NoPlace):  # there is no place for it: nothing of it is there
            offset, is_there = self._table.find(_key(tenant_id), 0)
            if is_there:
                COUNTERS.pack_into(self._table.map, offset, UNUSED, 0, 0, 0)

    def clear(self) -> None:
        """Forget what was counted."""
        with self._table:
            self._table.clear()

    def _found(self, key: bytes, month: int) -> tuple[int, int, int]:
        while True:
            try:
                offset, is_there = self._table.find(key, month)
            except NoPlace:
                self._table.grow(month)
                continue
            _, until, requests, rows = COUNTERS.unpack_from(self._table.map, offset)
            return (offset, requests, rows) if is_there and until == month + 1 else (offset, 0, 0)

    def _put(self, offset: int, tenant_id: str, now: datetime, requests: int, rows: int) -> None:
        COUNTERS.pack_into(self._table.map, offset, _key(tenant_id), month_of(now) + 1, requests, rows)


def month_of(now: datetime) -> int:
    """Return the month as a number that grows by one with each."""
    utc = now.astimezone(UTC)
    return utc.year * 12 + utc.month - 1


def month_end(now: datetime) -> datetime:
    following = month_of(now) + 1
    return datetime(following // 12, following % 12 + 1, 1, tzinfo=UTC)


def _check(what: str, *, used: int, wanted: int, limit: int | None, now: datetime) -> None:
    if limit is not None and used + wanted > limit:
        raise QuotaExceeded(what, used=used, wanted=wanted, limit=limit, now=now)


def _key(tenant_id: str) -> bytes:
    return blake2b(b"quota\0" + tenant_id.encode(), digest_size=16).digest()
