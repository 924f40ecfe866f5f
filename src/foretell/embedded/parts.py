"""One part of an installation: a child process that is started, watched, started again and stopped."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

Log = Callable[[str, str], None]  # name of the part, line

FIRST_BACKOFF_S = 0.2
LONGEST_BACKOFF_S = 5.0
LAST_WORDS_S = 2.0
STEADY_AFTER_S = 30.0  # a part that has lived this long starts anew without waiting
SUPERVISOR_VARIABLE = "FORETELL_SUPERVISOR_PID"
READY_VARIABLE = "FORETELL_READY_FD"


@dataclass
class Part:
    """A process and how it is kept.

    arguments : what follows ``python -m``.
    stop_within_s : how long it may take to end after SIGTERM; then it is killed.
    inherits : file descriptors that it is handed.
    drains : it says when it is ready, so that a successor can take over from it; SIGUSR1 announces its end, and a second SIGTERM
        shortens it.
    """

    name: str
    arguments: Sequence[str]
    stop_within_s: float
    log: Log
    environment: Mapping[str, str] = field(default_factory=dict)
    inherits: Sequence[int] = ()
    drains: bool = False
    process: subprocess.Popen[bytes] | None = None
    pump: threading.Thread | None = None
    started_at: float = 0.0
    backoff_s: float = 0.0
    start_at: float = 0.0
    deaths: int = 0
    signals: int = 0
    said_ready: bool = False
    ready_from: int | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process in a group of its own, so that Ctrl-C in a terminal reaches the supervisor only."""
        own = {SUPERVISOR_VARIABLE: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
        with self._ready_pipe() as ready_to:
            if ready_to:
                own[READY_VARIABLE] = str(*ready_to)
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments], env={**os.environ, **self.environment, **own},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                pass_fds=[*self.inherits, *ready_to], start_new_session=True,
            )  # fmt: skip
        self.started_at, self.signals = time.monotonic(), 0
        self.pump = threading.Thread(target=self._pump, args=(self.process,), name=f"log of {self.name}", daemon=True)
        self.pump.start()

    def watch(self, now: float) -> None:
        """Start the process again where it ended; the more often it ends, the longer the wait."""
        if self.process is None or self.is_running:
            return
        if not self.start_at:
            self._plan_restart(now)
        if now >= self.start_at:
            self.start_at = 0.0
            self.start()

    @property
    def kind(self) -> str:
        """The name without its number: web.1 and web.2 are of one kind."""
        return self.name.partition(".")[0]

    @property
    def is_ready(self) -> bool:
        """Whether the process that runs now has said so (`say_ready`)."""
        if self.ready_from is not None and select.select([self.ready_from], [], [], 0)[0]:
            self.said_ready = os.read(self.ready_from, 1) != b""
            self._forget_pipe()
        return self.said_ready and self.is_running

    def successor(self) -> "Part":
        """Return the same part without a process, to be started beside this one."""
        return replace(self, process=None, pump=None, signals=0, said_ready=False, ready_from=None)

    def swap(self, other: "Part") -> None:
        """Take the other's process for one's own, and the other way round."""
        for name in ("process", "pump", "started_at", "signals", "said_ready", "ready_from"):
            mine, its = getattr(self, name), getattr(other, name)
            setattr(self, name, its)
            setattr(other, name, mine)

    def announce(self) -> None:
        """Let it say that it will end, while it goes on."""
        if self.drains and self.is_ready:
            self._send(signal.SIGUSR1)

    def terminate(self) -> None:
        """Ask it to end; ask again to shorten that, where it understands."""
        if self.signals == 0 or (self.signals == 1 and self.drains):
            self.signals += 1
            self._send(signal.SIGTERM)

    def wait(self, patience: Callable[[], float] = lambda: 1.0) -> None:
        """Wait for the end that `terminate` asked for, and make sure that what the process started is gone too.

        `patience` is asked again and again for the share of `stop_within_s` that is granted.
        """
        process, began = self.process, time.monotonic()
        if process is None:
            return
        while not _ends(process, within_s=0.1):
            if patience() < 1.0:
                self.terminate()
            if time.monotonic() - began >= self.stop_within_s * patience():
                self.log(self.name, f"did not end within {time.monotonic() - began:.0f} s; killed")
                break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._forget_pipe()
        if self.pump is not None:
            self.pump.join(LAST_WORDS_S)

    def _send(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    @contextlib.contextmanager
    def _ready_pipe(self) -> Iterator[list[int]]:
        """Have what a process that drains is handed to say that it is ready; the other end stays here."""
        self._forget_pipe()
        self.said_ready = False
        if not self.drains:
            yield []
            return
        self.ready_from, ready_to = os.pipe()
        try:
            yield [ready_to]
        finally:
            os.close(ready_to)

    def _forget_pipe(self) -> None:
        if self.ready_from is not None:
            os.close(self.ready_from)
            self.ready_from = None

    def _plan_restart(self, now: float) -> None:
        lived_s = now - self.started_at
        self.deaths = 1 if lived_s > STEADY_AFTER_S else self.deaths + 1
        self.backoff_s = 0.0 if self.deaths == 1 else min(LONGEST_BACKOFF_S, max(FIRST_BACKOFF_S, self.backoff_s * 2))
        self.start_at = now + self.backoff_s
        code = self.process.returncode if self.process else None
        again = f"; it ended {self.deaths} times in a row, see its lines above" if self.deaths >= 3 else ""
        self.log(self.name, f"ended with {_ending(code)}; starting it again{again}")

    def _pump(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                self.log(self.name, line.decode("utf-8", "replace").rstrip())


def die_with_supervisor() -> None:
    """End when the supervisor that started this process ends, however it ends; without one, do nothing.

    On Linux the kernel sends the signal; the check after it closes the race with a supervisor that died before.
    """
    supervisor = int(os.environ.get(SUPERVISOR_VARIABLE, "0"))
    if not supervisor or not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != supervisor:
        os.kill(os.getpid(), signal.SIGTERM)


def say_ready() -> None:
    """Tell the supervisor that this process does its work now; without one, do nothing."""
    ready_to = int(os.environ.pop(READY_VARIABLE, "-1"))
    if ready_to >= 0:
        with contextlib.suppress(OSError):
            os.write(ready_to, b"1")
        os.close(ready_to)


def _ends(process: "subprocess.Popen[bytes]", *, within_s: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within_s)
    return process.returncode is not None


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
