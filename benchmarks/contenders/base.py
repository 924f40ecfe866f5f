"""What a contender is, and how one is started and stopped."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
from answers import missing, status_and_content
from http_load import request

from contenders.artifacts import Case
from contenders.forests import AS_IT_COMES, ONE_THREAD, Forest

APPS = Path(__file__).resolve().parent / "apps"
START_WITHIN_S, STOP_WITHIN_S = 120.0, 30.0
KEPT = ("PATH", "HOME", "LANG", "XDG_CACHE_HOME")
KEPT_ENVIRONMENT = {name: value for name, value in os.environ.items() if name in KEPT}


class CannotRun(Exception):
    """A contender cannot be installed or started here. The run goes on without it."""


@dataclass(eq=False)
class Running:
    """A contender that answers.

    roots : processes; all below them are its cost too.
    settled : is everything done that its requests left to do?
    part_of : of what part of it is a process? What it cost is told for each.
    can_stand_still : may it be stopped while another is measured? Not one that watches its own pulse.
    """

    port: int
    roots: list[psutil.Process]
    cold_start_s: float = 0.0
    settled: Callable[[], bool] = lambda: True
    part_of: Callable[[psutil.Process], str] = lambda process: "server"
    headers: Mapping[str, str] = field(default_factory=dict)
    can_stand_still: bool = True

    def processes(self) -> list[psutil.Process]:
        return tree(self.roots)

    def parts(self) -> dict[str, list[psutil.Process]]:
        found: dict[str, list[psutil.Process]] = {}
        for each in self.processes():
            with contextlib.suppress(psutil.Error):
                found.setdefault(self.part_of(each), []).append(each)
        return found


@dataclass(frozen=True, eq=False)
class Contender:
    """A server to compare, and how to talk with it.

    shapes : the only loads it is measured under; none: all of its cases.
    least_seconds : how long it is measured at least, where an answer takes long.
    """

    name: str
    title: str
    start: Callable[["Contender", Path], contextlib.AbstractContextManager[Running]]
    path: Callable[[Case], str]
    body: Callable[[Case], bytes]
    read: Callable[[Any], list[Any] | None]  # from the answer's JSON, the predictions
    cases: tuple[str, ...] = ("one", "thousand")
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()  # none: runs in the project's own environment
    forest: Forest = AS_IT_COMES  # of those that run scikit-learn
    shapes: tuple[str, ...] = ()
    least_seconds: float = 0.0

    def settings(self, place: Path) -> dict[str, str]:
        return {**self.forest.settings(place), **self.environment}

    def message(self, case: Case, running: Running, **headers: str) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "*/*", **running.headers, **headers}
        return request(self.path(case), host="localhost", body=self.body(case), headers=headers)

    def check(self, case: Case, answer: bytes) -> bool:
        """Are these the predictions that the model gives in this process?"""
        found = self.read(json.loads(answer))
        return found is None or [_label(each, case) for each in found] == case.expected


def _label(prediction: Any, case: Case) -> str:
    """Return a label as text; some servers answer the class's name, some in a list of one."""
    return str(prediction[0] if isinstance(prediction, list) else prediction)


# --- processes ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def process(
    command: Sequence[Any], environment: Mapping[str, str], log: Path, *, cwd: Path | None = None
) -> Iterator[psutil.Process]:
    """Run a program; in the end nothing of it is left, whatever it started itself."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [str(part) for part in command], env={**KEPT_ENVIRONMENT, **environment}, stdout=output, stderr=output, cwd=cwd,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    root = psutil.Process(popen.pid)
    try:
        yield root
    finally:
        stop(root, popen)


def stop(root: psutil.Process, popen: subprocess.Popen[bytes]) -> None:
    everyone = tree([root])
    for each in everyone:
        with contextlib.suppress(psutil.Error):
            each.resume()
    with contextlib.suppress(psutil.Error):
        root.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        popen.wait(STOP_WITHIN_S)
    for each in everyone:
        with contextlib.suppress(psutil.Error):
            each.kill()
    psutil.wait_procs(everyone, timeout=5)


def tree(roots: Sequence[psutil.Process]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for root in roots:
        with contextlib.suppress(psutil.Error):
            found += [root, *root.children(recursive=True)]
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, message: bytes, *, timeout_s: float = 30.0) -> tuple[int, bytes]:
    """Send one request over a connection of its own; return status and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        connection.sendall(message)
        answer = b""
        while missing(answer) != 0:
            answer += _received(connection)
    return status_and_content(answer)


def _received(connection: socket.socket) -> bytes:
    found = connection.recv(1 << 20)
    if not found:
        raise ConnectionError("closed in the middle of an answer")
    return found


def wait_for_answer(ready: Callable[[], bool], root: psutil.Process, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
        with contextlib.suppress(OSError, ValueError, LookupError):
            if ready():
                return
        time.sleep(0.02)
    raise CannotRun(f"no right answer came; {log} ends: …{log.read_text(errors='replace')[-600:]}")


@contextlib.contextmanager
def listening(
    contender: Contender,
    place: Path,
    command: Callable[[int], Sequence[Any]],
    *,
    environment: Mapping[str, str],
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Running]:
    """Run a server that listens on the port it is given, until it has answered its first case rightly."""
    from contenders.artifacts import case_of

    port, log, first = free_port(), place / f"{contender.name}.log", case_of(contender.cases[0])
    began = time.monotonic()
    with process(command(port), dict(environment), log, cwd=place) as root:
        running = Running(port, [root], headers=headers)
        wait_for_answer(partial(answers, contender, running, first), root, log)
        running.cold_start_s = time.monotonic() - began
        yield running


def answers(contender: Contender, running: Running, case: Case) -> bool:
    status, body = ask(running.port, contender.message(case, running))
    return status == 200 and contender.check(case, body)


def on_our_server(app: str, contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    program = [sys.executable, APPS / "two_processes.py", app]
    environment = {**ONE_THREAD, **contender.settings(place)}
    return listening(contender, place, lambda port: [*program, port], environment=environment)
