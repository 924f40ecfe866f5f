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
READY_WITHIN_S = 60.0
HASTE = 0.2  # a second signal leaves the parts this share of their time


class Supervisor:
    """Watches parts, which are stopped in the order of `parts`; and whatever else `watches` looks after.

    SIGTERM and SIGINT end `watch`; another one while stopping shortens the stop. SIGHUP renews the parts that drain; from a
    terminal it means that the terminal is gone, and ends `watch` too.
    """

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.watches: list[Callable[[float], None]] = []
        self._stopping = threading.Event()
        self._signals = 0
        self._is_renewal_due = False
        self._beside: list[Part] = []  # successors that are not ready yet, and processes that have one

    def handle_signals(self) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            signal.signal(signal.SIGHUP, self._on_signal if sys.stderr.isatty() else self._on_hangup)

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
            if self._is_renewal_due:
                self._is_renewal_due = False
                self.renew()

    def renew(self) -> None:
        """Replace the parts that drain, one after another: each successor is ready before its predecessor is told to end."""
        for part in [part for part in self.parts if part.drains]:
            if not self._replaced(part):
                return
        self._look_after()

    def announce_stop(self, *, wait_s: float) -> None:
        """Let the parts that drain say that they are about to end, and wait for whoever asks them; a second signal ends the wait."""
        for part in self.parts:
            part.announce()
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline and self._signals < 2:
            self._look_after()
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop the parts, kind after kind in the order of `parts`; those of one kind drain together."""
        self._stopping.set()
        everyone = [*self.parts, *self._beside]
        for kind in dict.fromkeys(part.kind for part in everyone):
            of_kind = [part for part in everyone if part.kind == kind]
            for part in of_kind:
                if not part.signals:
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

    def _replaced(self, part: Part) -> bool:
        """Start a successor, and end its predecessor once it is ready; where it does not get ready, all stays as it was."""
        other = part.successor()
        self._beside.append(other)
        other.start()
        self.wait_until(lambda: other.is_ready or not other.is_running, within_s=READY_WITHIN_S)
        is_ready = other.is_ready
        if is_ready:
            part.swap(other)
        elif not self.is_stopping:
            part.log(part.name, "its successor did not get ready, see its lines above; it goes on as it was")
        other.terminate()
        self.wait_until(lambda: not other.is_running, within_s=other.stop_within_s)
        if not self.is_stopping:  # else `stop` waits for it
            other.wait(lambda: 0.0)
            self._beside.remove(other)
        return is_ready

    def _look_after(self) -> None:
        for look in [*self.watches, *(part.watch for part in self.parts)]:
            look(time.monotonic())

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        self._stopping.set()

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:
        self._is_renewal_due = True


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
