"""The limiter of a host: exact over all its processes and threads, with no server to ask."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from foretell.limits import gcra
from foretell.limits.claims import Claim, Decision
from foretell.limits.table_files import boot_id
from foretell.limits.tables import SLOT, NoPlace, table_at

SLOTS = 65_536  # 1.5 MB; it grows when a bucket finds no place
WORD = 8  # bytes


class SharedMemoryLimiter:
    """GCRA buckets in shared memory.

    Parameters
    ----------
    path
        The file of the buckets; the first process makes it.
    slots
        How many buckets there is room for at first: a power of two.
    clock
        Nanoseconds, the same in every process.
    boot
        Names the start of the machine that the clock counts from.
    """

    def __init__(
        self, path: Path, *, slots: int = SLOTS, clock: Callable[[], int] = time.monotonic_ns, boot: str | None = None
    ) -> None:
        self._table = table_at(path, slot_bytes=SLOT.size, slots=slots, boot=boot_id() if boot is None else boot)
        self._clock = clock

    @property
    def slots(self) -> int:
        return self._table.slots

    def take(self, claims: Sequence[Claim], cost: int = 1) -> Decision | None:
        """Charge every claim, or none of them where one refuses.

        Raises
        ------
        TableFull
            where a bucket needs a place and there can be none; it is not allowed then.
        """
        if not claims:
            return None
        with self._table:
            while True:
                try:
                    return self._taken(claims, cost)
                except NoPlace:
                    self._table.grow(self._clock())

    def give_back(self, claims: Sequence[Claim], cost: int = 1) -> None:
        with self._table as memory:
            for claim in claims:
                with suppress(NoPlace):  # then it is not there: it was full again, and its slot is another's
                    offset, is_there = self._table.find(claim.bucket, self._clock())
                    if is_there:
                        _, full_at = SLOT.unpack_from(memory, offset)
                        SLOT.pack_into(memory, offset, claim.bucket, gcra.given_back(claim, full_at, cost))

    def clear(self) -> None:
        """Forget what was taken: every bucket is full again."""
        with self._table:
            self._table.clear()

    def _taken(self, claims: Sequence[Claim], cost: int) -> Decision:
        words, now_ns = self._table.words, self._clock()
        n_words = len(words)
        slots: list[int] = []
        full_at: list[int] = []
        for claim in claims:
            place = claim.place
            slot = place.word
            if slot >= n_words or words[slot] != place.low or words[slot + 1] != place.high or slot in slots:
                slot = self._found(claim, now_ns, slots)
            slots.append(slot)
            full_at.append(words[slot + 2])
        decision, charged = gcra.decide(claims, full_at, now_ns, cost)
        if charged is not None and cost:
            for slot, at in zip(slots, charged, strict=True):
                words[slot + 2] = at
        return decision

    def _found(self, claim: Claim, now_ns: int, taken: Sequence[int]) -> int:
        """Return the first word of a bucket's slot. A fresh one is full: what it says of its last user is a time in the past."""
        offset, is_there = self._table.find(claim.bucket, now_ns, [slot * WORD for slot in taken])
        slot = claim.place.word = offset // WORD
        if not is_there:
            self._table.words[slot], self._table.words[slot + 1] = claim.place.low, claim.place.high
        return slot
