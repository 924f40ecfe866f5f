"""A hash table that all processes of a host map into memory: fixed slots, eight places for each key, stale slots used again.

A slot is a key of 16 bytes, a whole number until when it is in use (in its user's own measure of time), and what else the user keeps.
"""

import mmap
import os
import struct
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from weakref import WeakSet, WeakValueDictionary

from foretell.limits.locks import record_lock, shared_lock
from foretell.limits.mutexes import MUTEX_BYTES
from foretell.limits.table_files import HEADER_BYTES, MAX_SLOTS, MOVED_AT, MUTEX_AT, TableFile, TableFull

PLACES = 8
SLOT = struct.Struct("@16sq")
UNUSED = bytes(16)


class NoPlace(LookupError):
    """All places for a key are in use: the table has to grow."""


class Table:
    """The table in a file; work on it is done inside ``with table:``, by one thread of one process at a time.

    map : its bytes.
    words : the same as numbers of 64 bits. Optimization: to read or write one of them calls nothing and makes no object but the number.
    """

    def __init__(self, file: TableFile, *, slots: int) -> None:
        self.file, self._slots_at_first = file, slots
        self._threads = threading.Lock()
        self._is_locked = False
        self._open()
        _tables.add(self)

    def __enter__(self) -> mmap.mmap:
        self._threads.acquire()
        try:
            self._is_locked = self._lock.acquire()
            while self.map[MOVED_AT]:
                self._follow()
        except BaseException:
            self._threads.release()
            raise
        return self.map

    def __exit__(self, *_: object) -> None:
        if self._is_locked:
            self._lock.release()
        self._threads.release()

    def find(self, key: bytes, now: int, taken: Collection[int] = ()) -> tuple[int, bool]:
        """Return where the key's slot is, and whether it is there already; a fresh one is the caller's to fill in.

        taken : slots that the caller has found for other keys and not written to yet.

        Raises
        ------
        NoPlace
            where all places for this key are in use; then let the table `grow`, and begin again.
        """
        free = -1
        for offset in self._places(key):
            if offset in taken:
                continue
            found, until = SLOT.unpack_from(self.map, offset)
            if found == key:
                return offset, True
            if free < 0 and until <= now:
                free = offset
        if free < 0:
            raise NoPlace
        return free, False

    def grow(self, now: int) -> None:
        """Go on in a file twice as large, and let the other processes follow.

        Raises
        ------
        TableFull
        """
        with self.file.alone():
            if not self.map[MOVED_AT]:  # Race condition: else another process has done it
                self._move(now)
        self._follow()

    def clear(self) -> None:
        self.map[HEADER_BYTES:] = bytes(self.file.size(self.slots) - HEADER_BYTES)

    def in_use(self, now: int) -> Iterator[bytes]:
        """Yield each slot that is not stale."""
        size = self.file.slot_bytes
        for offset in range(HEADER_BYTES, self.file.size(self.slots), size):
            if SLOT.unpack_from(self.map, offset)[1] > now:
                yield self.map[offset : offset + size]

    def _places(self, key: bytes) -> Iterator[int]:
        first, size = int.from_bytes(key[:8], "little"), self.file.slot_bytes
        for step in range(PLACES):
            yield HEADER_BYTES + (first + step & self._mask) * size

    def _move(self, now: int) -> None:
        slots, content = self.slots, None
        while content is None:
            slots *= 2
            if slots > MAX_SLOTS:
                raise TableFull(self.file.path, f"it has {self.slots:,} slots")
            content = _arranged(self.in_use(now), slots, self.file.slot_bytes)
        self.file.made(slots, content)
        self.map[MOVED_AT] = 1

    def _follow(self) -> None:
        """Leave a file that moved for the one that is now in its place."""
        if self._is_locked:
            self._lock.release()
        old_map, old_descriptor = self.map, self._descriptor
        self.words.release()
        self._open()
        old_map.close()
        os.close(old_descriptor)
        self._is_locked = self._lock.acquire()

    def _open(self) -> None:
        with self.file.alone():
            opened = self.file.opened()
            if opened is None:
                self.file.made(self._slots_at_first)
                opened = self.file.opened()
        assert opened is not None  # noqa: S101  it was made under the lock
        self._descriptor, self.slots = opened
        self._mask = self.slots - 1
        self.map = mmap.mmap(self._descriptor, self.file.size(self.slots))
        self.words = memoryview(self.map).cast("q")
        has_mutex = any(self.map[MUTEX_AT : MUTEX_AT + MUTEX_BYTES])
        self._lock = shared_lock(self.map, MUTEX_AT) if has_mutex else record_lock(self._descriptor)

    def _forked(self) -> None:
        """Race condition: a fork while another thread was at work would leave its lock held in the child for ever."""
        self._threads = threading.Lock()


def table_at(path: Path, *, slot_bytes: int, slots: int, boot: str) -> Table:
    """Return the table at a path; the same one for everybody in this process, since a record lock is the process's."""
    file = TableFile(path.absolute(), slot_bytes, boot)
    with _opening:
        table = _by_file.get(file)
        if table is None:
            table = _by_file[file] = Table(file, slots=slots)
        return table


def _arranged(used: Iterator[bytes], slots: int, slot_bytes: int) -> bytes | None:
    """Return the slots of a larger table, or None where even that one has too little place for one of them."""
    content = bytearray(slots * slot_bytes)
    for slot in used:
        first = int.from_bytes(slot[:8], "little")
        for step in range(PLACES):
            offset = (first + step & slots - 1) * slot_bytes
            if content[offset : offset + len(UNUSED)] == UNUSED:
                content[offset : offset + slot_bytes] = slot
                break
        else:
            return None
    return bytes(content)


_tables: WeakSet[Table] = WeakSet()
_by_file: WeakValueDictionary[TableFile, Table] = WeakValueDictionary()
_opening = threading.Lock()


def _renew_locks() -> None:
    for table in _tables:
        table._forked()


os.register_at_fork(after_in_child=_renew_locks)
