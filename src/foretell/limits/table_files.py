"""The file of a table: found and checked, or made anew, by one process at a time."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from foretell.errors import ForetellError
from foretell.limits.mutexes import fresh_mutex

MAGIC, LAYOUT = b"ftlimits", 2
HEADER_BYTES = 4_096
# magic, layout version, whether it moved into a larger file, size of a slot, slots, the boot in which its times mean something
HEADER = struct.Struct("@8sHHIQ64s")
MOVED_AT = 10
MUTEX_AT = 2_048  # in the header; all zeros where the lock is a record lock of the file
MAX_SLOTS = 2**24
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class TableFull(ForetellError):
    """A table that can take no further key: its disk is full, or it has grown to the end."""

    code = "unavailable"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The limits in {path.name} are full and cannot grow: {why}.", retry_after_s=1)


def boot_id() -> str:
    """Return what is another one after each start of the machine: the monotonic clock begins anew with it."""
    with suppress(OSError):
        return BOOT_ID.read_text().strip()
    return ""


@dataclass(frozen=True, slots=True)
class TableFile:
    """Where a table is, and what makes a file there its own.

    boot : a file of another boot is made anew; "" where its times are not of the monotonic clock.
    """

    path: Path
    slot_bytes: int
    boot: str

    def opened(self) -> tuple[int, int] | None:
        """Return descriptor and slots; None where there is no file, or not one of this layout and this boot."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        slots = self._slots_of(os.pread(descriptor, HEADER.size, 0), os.fstat(descriptor).st_size)
        if slots:
            return descriptor, slots
        os.close(descriptor)
        return None

    def made(self, slots: int, content: bytes = b"") -> None:
        """Put a whole new file into the path, at once.

        Its space is taken from the disk now: a disk that is full later would kill who writes to mapped memory.
        """
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        header = HEADER.pack(MAGIC, LAYOUT, 0, self.slot_bytes, slots, self.boot.encode())
        try:
            with open(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                _reserve(file.fileno(), self.size(slots))
                file.write((header.ljust(MUTEX_AT, b"\0") + self._mutex()).ljust(HEADER_BYTES, b"\0") + content)
            fresh.replace(self.path)
        except OSError as err:
            fresh.unlink(missing_ok=True)
            raise TableFull(self.path, err.strerror or str(err)) from err

    def _mutex(self) -> bytes:
        """Race condition: who held a mutex when the machine stopped would hold it for ever, in a file that outlives that."""
        return fresh_mutex() if self.boot else b""

    def size(self, slots: int) -> int:
        return HEADER_BYTES + slots * self.slot_bytes

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Race condition: of all processes that find no file, or an old one, one makes it, and the others wait for it."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self.path.with_name(f"{self.path.name}.lock")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _slots_of(self, header: bytes, size: int) -> int:
        """Return how many slots a file has; 0 where it is not ours."""
        if len(header) < HEADER.size:
            return 0
        magic, layout, moved, slot_bytes, slots, boot = HEADER.unpack(header)
        found = (magic, layout, moved, slot_bytes, boot.rstrip(b"\0"))
        if found != (MAGIC, LAYOUT, 0, self.slot_bytes, self.boot.encode()):
            return 0
        is_sound = 0 < slots <= MAX_SLOTS and slots & (slots - 1) == 0 and size == self.size(slots)
        return int(slots) if is_sound else 0


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)
