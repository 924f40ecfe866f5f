"""Keeps the parts of an installation running until it is told to stop, then stops them in order.

It imports neither Django nor numpy: it is there to outlive whatever goes wrong in the parts, and to weigh little.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from foretell.embedded.parts import Part

POLL_S = 0.2
HASTE = 0.2  # a second signal leaves the parts this share of their time


class Supervisor:
    """Watches parts, which are stopped in the order of `parts`; and whatever else `watches` looks after.

    SIGTERM and SIGINT end `watch`; another one while stopping shortens the stop.
    """

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.watches: list[Callable[[float], None]] = []
        self._stopping = threading.Event()
        self._signals = 0

    def handle_signals(self) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def start(self, *parts: Part) -> None:
        for part in parts:
            part.start()
            self.parts.append(part)

    def watch(self) -> None:
        """Keep the parts running until a signal comes."""
        while not self._stopping.wait(POLL_S):
            self._look_after()

    def stop(self) -> None:
        """Stop the parts, kind after kind in the order of `parts`; those of one kind drain together."""
        self._stopping.set()
        for kind in dict.fromkeys(part.kind for part in self.parts):
            of_kind = [part for part in self.parts if part.kind == kind]
            for part in of_kind:
                part.terminate()
            for part in of_kind:
                part.wait(lambda: HASTE if self._signals > 1 else 1.0)

    def wait_until(self, is_ready: Callable[[], bool], *, within_s: float) -> bool:
        """Watch the parts until something is so; False when it takes too long or a stop was asked for."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and not self._stopping.is_set():
            if is_ready():
                return True
            self._look_after()
            self._stopping.wait(0.05)
        return False

    def _look_after(self) -> None:
        for look in [*self.watches, *(part.watch for part in self.parts)]:
            look(time.monotonic())

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        self._stopping.set()


class PrefixedLog:
    """One readable log: each line begins with the part that wrote it, in a colour of its own on a terminal."""

    COLOURS = ("36", "32", "35", "33", "34")

    def __init__(self) -> None:
        self._colours: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self._lock:
            sys.stderr.write(f"{self._prefix(name)} {line}\n")
            sys.stderr.flush()

    def _prefix(self, name: str) -> str:
        label = f"{name:<8} |"
        if not sys.stderr.isatty():
            return label
        colour = self._colours.setdefault(name, self.COLOURS[len(self._colours) % len(self.COLOURS)])
        return f"\033[{colour}m{label}\033[0m"
