"""A disk that is full below one directory, and nowhere else: a limit of the process would also stop what the tests themselves write."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

_write, _fallocate = os.write, os.posix_fallocate


@contextmanager
def full_disk(directory: Path, *, after: int = 0) -> Iterator[None]:
    """Let no file below `directory` grow beyond so many bytes; the write that would is cut short."""

    def room(descriptor: int) -> int | None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        return max(0, after - os.fstat(descriptor).st_size) if path.is_relative_to(directory.resolve()) else None

    def write(descriptor: int, data: bytes, /) -> int:
        left = room(descriptor)
        if left is None:
            return _write(descriptor, data)
        if not left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return _write(descriptor, data[:left])

    def posix_fallocate(descriptor: int, offset: int, length: int, /) -> None:
        left = room(descriptor)
        if left is not None and length > left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        _fallocate(descriptor, offset, length)

    with patch("os.write", write), patch("os.posix_fallocate", posix_fallocate):
        yield
