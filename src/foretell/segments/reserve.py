"""Room that is kept for when the disk is full: to say so, and to empty what is there. One file for all writers of a directory.

The log takes records only while its reserve is in place. Whoever meets a full disk lets go of it; it is made anew when there is
room for twice as much, so that the log does not open for a handful of records at a time.
"""

import contextlib
import errno
import os
from pathlib import Path

CHUNK = bytes(1 << 20)


class Reserve:
    def __init__(self, directory: Path, size_bytes: int) -> None:
        self._path = directory / "reserve"
        self._size = size_bytes

    @property
    def is_held(self) -> bool:
        if not self._size:
            return True
        try:
            return self._path.stat().st_size >= self._size
        except FileNotFoundError:
            return False

    def release(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def hold(self) -> None:
        """Make sure of the reserve.

        Raises
        ------
        OSError
            ENOSPC where there is no room for it.
        """
        if self.is_held:
            return
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < 2 * self._size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        try:
            _allocate(self._path, self._size)  # in place: a death in the middle leaves nothing that is not found again
        except OSError:
            self.release()
            raise


def _allocate(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
            return
        for _ in range(-(-size // len(CHUNK))):  # macOS has no such call
            os.write(descriptor, CHUNK)
    finally:
        os.close(descriptor)
