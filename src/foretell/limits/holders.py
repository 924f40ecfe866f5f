"""Who holds a lock, and what the kernel says of it: one that is stopped keeps its lock, one that waits for a processor soon will not."""

from pathlib import Path
from typing import NamedTuple

NOBODY, SOMEBODY = 0, -1  # beside a thread's id: no one has it; no one can tell who has it
STOPPED = ("T", "t")  # by a signal, by a debugger
PROC = Path("/proc")


class Holder(NamedTuple):
    """A thread that has a lock; its state is a letter as in proc(5), "" where that cannot be seen."""

    thread: int
    state: str


def seen(thread: int) -> Holder:
    """Look at a thread."""
    return Holder(thread, _state_of(thread) if thread > NOBODY else "")


def _state_of(thread: int) -> str:
    try:
        stat = (PROC / str(thread) / "stat").read_bytes()
    except OSError:
        return ""
    return chr(stat[stat.rindex(b")") + 2])  # before it is the name, in which anything may stand
