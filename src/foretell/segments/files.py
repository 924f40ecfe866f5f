"""The files of a log's directory, and how one sees that a segment's writer is gone.

A writer holds a lock on its segment from before the segment has its name until it is done with it; the kernel lets go of
the lock however the process ends.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from foretell.ids import uuid7
from foretell.segments.format import MAGIC

SUFFIX = ".seg"
UNNAMED_SUFFIX = ".new"

sync_data = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


@dataclass(slots=True)
class OpenSegment:
    """A segment as its writer has it.

    size, synced : bytes written, and bytes that are known to be on the disk itself.
    """

    descriptor: int
    path: Path
    opened_at: float
    size: int = len(MAGIC)
    synced: int = 0

    @property
    def is_empty(self) -> bool:
        return self.size <= len(MAGIC)

    def sync(self) -> None:
        size = self.size
        if size != self.synced:
            sync_data(self.descriptor)
            self.synced = size

    def close(self) -> None:
        """Let go of the segment; from now on it is the drainer's alone."""
        os.close(self.descriptor)


def open_segment(directory: Path, now: float) -> OpenSegment:
    """Make a segment that is locked before anybody can find it.

    Race condition: were it locked after it has its name, a drainer could take it for one whose writer died, and delete it.
    """
    path = directory / f"{uuid7().hex}{SUFFIX}"
    unnamed = path.with_suffix(UNNAMED_SUFFIX)
    descriptor = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.write(descriptor, MAGIC) != len(MAGIC):
            raise OSError(28, os.strerror(28))
        os.rename(unnamed, path)
        sync_directory(directory)
    except BaseException:
        os.close(descriptor)
        unnamed.unlink(missing_ok=True)
        raise
    return OpenSegment(descriptor, path, opened_at=now)


def segment_paths(directory: Path) -> list[Path]:
    """Return the segments, the oldest first."""
    return sorted(path for path in directory.iterdir() if path.suffix == SUFFIX)


def is_abandoned(descriptor: int) -> bool:
    """Whether the segment's writer is gone; then the lock is the caller's, until it closes the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync_directory(directory: Path) -> None:
    """Make names that came or went outlast a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_unnamed(directory: Path) -> None:
    """Delete what writers left that died before their segment had its name: nothing is in it."""
    for path in directory.glob(f"*{UNNAMED_SUFFIX}"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            if os.fstat(descriptor).st_size and is_abandoned(descriptor):
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
