"""A mutex in memory that processes share (POSIX: robust, process-shared): taken and let go of without a system call.

A holder that dies, however it dies, is noted by the kernel, and the next one to come is told. A record lock of a file is as safe,
and costs two system calls; and what runs after a system call finds the processor's predictions gone.
"""

import ctypes
import errno
import functools
import mmap
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

MUTEX_BYTES = 64  # more than glibc's 40 on x86_64 and 48 on aarch64
PROCESS_SHARED = ROBUST = 1
HOLDER = 0x3FFF_FFFF  # of a robust mutex's first 32 bits, which the kernel reads too (FUTEX_TID_MASK): the thread that has it


class LockCalls(NamedTuple):
    """How to try for a lock, how to let go of it, and how to learn who has it."""

    try_acquire: Callable[[], bool]
    release: Callable[[], None]
    holder: Callable[[], int]


@functools.cache
def fresh_mutex() -> bytes:
    """Return a mutex that nobody holds, to be put into shared memory; empty where this machine has none of the kind."""
    threads = _library()
    if threads is None:
        return b""
    mutex, attributes = ctypes.create_string_buffer(MUTEX_BYTES), ctypes.create_string_buffer(MUTEX_BYTES)
    failed = (
        threads.pthread_mutexattr_init(attributes)
        or threads.pthread_mutexattr_setpshared(attributes, PROCESS_SHARED)
        or threads.pthread_mutexattr_setrobust(attributes, ROBUST)
        or threads.pthread_mutex_init(mutex, attributes)
    )
    return b"" if failed else mutex.raw


def mutex_calls(memory: mmap.mmap, offset: int) -> LockCalls:
    """Return what is to be done with the mutex at `offset`; none of it after the memory is closed.

    Optimization: the calls keep the interpreter's own lock: they never wait, and a thread that gave it up while it holds ours would
    keep other processes waiting for as long as any busy thread of this one pleases.
    """
    threads = _library()
    assert threads is not None  # noqa: S101  who made the file had it, on this machine
    place = ctypes.c_char.from_buffer(memory, offset)
    mutex = ctypes.c_void_p(ctypes.addressof(place))
    del place  # or the memory could never be closed
    trylock, unlock, consistent = (
        threads.pthread_mutex_trylock, threads.pthread_mutex_unlock, threads.pthread_mutex_consistent,
    )  # fmt: skip

    def try_acquire() -> bool:
        outcome = trylock(mutex)
        if outcome == errno.EOWNERDEAD:  # we hold it; what its holder left half done is one number, of one bucket
            consistent(mutex)
            return True
        return not outcome

    def release() -> None:
        unlock(mutex)

    def holder() -> int:
        return int.from_bytes(memory[offset : offset + 4], sys.byteorder) & HOLDER

    return LockCalls(try_acquire, release, holder)


@functools.cache
def _library() -> Any:
    """Return the C library where its robust mutexes are known to be as described here: glibc on 64-bit Linux."""
    if sys.platform != "linux" or sys.maxsize <= 2**32:
        return None
    library = ctypes.PyDLL(None)
    return (
        library if hasattr(library, "gnu_get_libc_version") and hasattr(library, "pthread_mutex_consistent") else None
    )
