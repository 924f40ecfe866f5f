"""What a host holds of the pool, shared by its processes: tokens that were charged to the pool already."""

import struct
import time
from pathlib import Path

from foretell.limits.rates import NS
from foretell.limits.table_files import boot_id
from foretell.limits.tables import NoPlace, table_at

SLOTS = 16_384
LEASE = struct.Struct("@16sqq")  # key, until when it is remembered (monotonic ns), tokens
REMEMBERED_NS = 3_600 * NS


class Leases:
    def __init__(self, path: Path, *, slots: int = SLOTS) -> None:
        self._table = table_at(path, slot_bytes=LEASE.size, slots=slots, boot=boot_id())

    def spend(self, bucket: bytes, cost: int) -> int:
        """Use `cost` tokens; return how many are left, or -1 where there are too few, and none is used."""
        with self._table:
            offset, tokens = self._found(bucket)
            if tokens < cost:
                return -1
            self._put(offset, bucket, tokens - cost)
            return tokens - cost

    def hold(self, bucket: bytes, tokens: int, *, most: int) -> int:
        """Add tokens up to `most`, which is what is reckoned with as being out; return how many were too many."""
        with self._table:
            offset, held = self._found(bucket)
            self._put(offset, bucket, min(most, held + tokens))
            return max(0, held + tokens - most)

    def held(self, bucket: bytes) -> int:
        with self._table:
            return self._found(bucket)[1]

    def clear(self) -> None:
        with self._table:
            self._table.clear()

    def _found(self, bucket: bytes) -> tuple[int, int]:
        now = time.monotonic_ns()
        while True:
            try:
                offset, is_there = self._table.find(bucket, now)
            except NoPlace:
                self._table.grow(now)
                continue
            _, until, tokens = LEASE.unpack_from(self._table.map, offset)
            return (offset, tokens) if is_there and until > now else (offset, 0)

    def _put(self, offset: int, bucket: bytes, tokens: int) -> None:
        LEASE.pack_into(self._table.map, offset, bucket, time.monotonic_ns() + REMEMBERED_NS, tokens)
