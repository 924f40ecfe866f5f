"""Resource limits: what a child can take from the machine, whatever it runs."""

import contextlib
import os
import resource
from pathlib import Path

from foretell.inference.sandbox.limits import Limits


def apply_rlimits(limits: Limits, *, has_own_uid: bool) -> None:
    """Lower every limit, soft and hard, so that the child cannot raise it again."""
    _lower(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1)  # SIGXCPU says why; SIGKILL follows where it is ignored
    _lower(resource.RLIMIT_AS, _address_space() + limits.memory_bytes)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_NPROC, limits.threads if has_own_uid else _tasks_on_this_machine() + limits.threads)
    for name in ("FSIZE", "CORE", "MEMLOCK", "MSGQUEUE", "NICE", "RTPRIO", "SIGPENDING"):
        _lower(getattr(resource, f"RLIMIT_{name}"), 0)


def _lower(which: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, keeping a stricter one that is already in force."""
    _, ceiling = resource.getrlimit(which)
    wanted = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        wanted = min(wanted, ceiling)
    resource.setrlimit(which, (min(soft, wanted), wanted))


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _tasks_on_this_machine() -> int:
    """Return a bound on this user's threads: the kernel counts a user's, and the other children are the same user."""
    running = 4096
    with contextlib.suppress(OSError, ValueError, IndexError):
        running = int(Path("/proc/loadavg").read_text().split()[3].split("/")[1])
    return running
