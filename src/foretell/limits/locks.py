"""A lock between processes that is let go of when its holder dies, however it dies: a shared mutex, else a record lock."""

import ctypes
import fcntl
import mmap
import os
import sys
import time

from foretell.limits.holders import NOBODY, SOMEBODY, STOPPED, Holder, seen
from foretell.limits.mutexes import LockCalls, mutex_calls

TURNS = 100  # given to others before this process sleeps
LONGEST_PAUSE_S = 0.001
# Counted in pauses, not by the clock: what keeps a holder from running for long, a machine with too much to do or a host that
# gives its time to others, keeps who waits from running too.
PAUSES = 2_000


class ProcessLock:
    """A lock that is tried, waited for with patience, and given up on; between processes, not between threads."""

    def __init__(self, calls: LockCalls) -> None:
        self.try_acquire, self.release, self._holder = calls
        self._given_up_on: Holder | None = None

    def acquire(self) -> bool:
        """Wait for the lock; False where its holder is stopped, or keeps it for longer than anybody should.

        That one is not waited for again until it is seen to go on: a stopped process delays one request, not each.
        """
        if self.try_acquire():
            self._given_up_on = None
            return True
        if self._given_up_on is not None and self._given_up_on == seen(self._holder()):
            return False
        return self._waited()

    def _waited(self) -> bool:
        for _ in range(TURNS):
            os.sched_yield()
            if self.try_acquire():
                return True
        pause_s = 0.0
        for _ in range(PAUSES):
            if seen(self._holder()).state in STOPPED:
                break
            time.sleep(pause_s)
            if self.try_acquire():
                return True
            pause_s = min(LONGEST_PAUSE_S, pause_s + 0.000_02)
        self._given_up_on = seen(self._holder())
        return False


def shared_lock(memory: mmap.mmap, offset: int) -> ProcessLock:
    """Return the lock that is a mutex in shared memory."""
    return ProcessLock(mutex_calls(memory, offset))


def record_lock(descriptor: int) -> ProcessLock:
    """Return a POSIX record lock on the first byte of a file.

    Closing any descriptor of the file lets go of it, so that a process opens such a file once.
    """
    return ProcessLock(_record_calls(descriptor))


class _Flock(ctypes.Structure):
    """`struct flock` of 64-bit Linux."""

    _fields_ = [
        ("l_type", ctypes.c_short),
        ("l_whence", ctypes.c_short),
        ("l_start", ctypes.c_longlong),
        ("l_len", ctypes.c_longlong),
        ("l_pid", ctypes.c_int),
    ]


def _record_calls(descriptor: int) -> LockCalls:
    if sys.platform == "linux" and sys.maxsize > 2**32:
        return _linux_calls(descriptor)
    return _portable_calls(descriptor)


def _linux_calls(descriptor: int) -> LockCalls:
    """Return calls that keep the interpreter's own lock.

    Optimization: they never wait; and a thread that gave it up while it holds ours would keep other processes waiting for as long
    as any busy thread of this one pleases.
    """
    system_fcntl, command = ctypes.PyDLL(None).fcntl, fcntl.F_SETLK
    lock, unlock = (ctypes.byref(_Flock(kind, os.SEEK_SET, 0, 1, 0)) for kind in (fcntl.F_WRLCK, fcntl.F_UNLCK))

    def try_acquire() -> bool:
        return not system_fcntl(descriptor, command, lock)

    def release() -> None:
        system_fcntl(descriptor, command, unlock)

    def holder() -> int:
        wanted = _Flock(fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
        system_fcntl(descriptor, fcntl.F_GETLK, ctypes.byref(wanted))
        return NOBODY if wanted.l_type == fcntl.F_UNLCK else wanted.l_pid

    return LockCalls(try_acquire, release, holder)


def _portable_calls(descriptor: int) -> LockCalls:
    def try_acquire() -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
        except OSError:
            return False
        return True

    def release() -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, 0)

    return LockCalls(try_acquire, release, lambda: SOMEBODY)
