"""What a signal does to a command that has something to put away."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def end_in_order() -> None:
    """Let SIGTERM unwind the stack, as Ctrl-C does, unless something else handles it."""
    if _is_main() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _unwind)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Finish the block whatever signal comes.

    Race condition: when a process with threads dies, the kernel tells its children once for each of its threads.
    """
    if not _is_main():
        yield
        return
    before = {number: signal.signal(number, _ignore) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unwind(number: int, frame: FrameType | None) -> None:
    """Race condition: a second signal must not unwind what the first one has begun to put away."""
    for each in SIGNALS:
        signal.signal(each, _ignore)
    sys.exit(128 + number)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing; unlike SIG_IGN, this does not pass on to the programs that are started meanwhile."""


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
