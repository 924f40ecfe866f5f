"""An installation as an operator has it: `foretell up`, seen from outside by its processes, its files and its port."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]

import foretell

FORETELL = Path(sys.executable).with_name("foretell")
FIRST_START_S, RECOVERY_S, STOP_S = 90.0, 30.0, 60.0
MARKS = {"web": "foretell.cli web", "worker": "foretell.cli worker", "sandbox": "foretell.inference.sandbox"}


@dataclass
class Door:
    """A way into a tenant: what demo.json and `tenant create --json` say."""

    url: str
    tenant: str
    username: str
    password: str = field(repr=False)
    api_key: str = field(repr=False)

    def client(self) -> foretell.Client:
        return foretell.Client(self.url, self.api_key)

    @property
    def environment(self) -> dict[str, str]:
        return {"FORETELL_URL": self.url, "FORETELL_API_KEY": self.api_key}

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}


class Installation:
    """`foretell up` on a home and a port of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.log = home.parent / "up.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.last_probe = "the probe was never answered"

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a fresh shell has, with the home, the port and two web processes."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME", "TMPDIR")}
        own = {"FORETELL_HOME": str(self.home), "PORT": str(self.port), "HOST": "127.0.0.1", "WEB_CONCURRENCY": "2"}
        return kept | own | {"XDG_CONFIG_HOME": str(self.home.parent / "config")}

    @property
    def demo(self) -> Door:
        return Door(**json.loads((self.home / "demo.json").read_text()))

    def start(self) -> float:
        """Start, and return after how many seconds it is ready and has its examples."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [FORETELL, "up"], env=self.environment, cwd=self.home.parent, stdin=subprocess.DEVNULL, stderr=log
            )
        wait_until(self.is_ready, within_s=FIRST_START_S, or_say=self.last_lines)
        return time.monotonic() - began

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal, and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.last_lines()
        return (self.home / "examples.json").exists() and self.answers()

    def answers(self) -> bool:
        """Whether the probe says that all of it is well, the worker and the sandbox included."""
        with contextlib.suppress(httpx.HTTPError):
            self.last_probe = httpx.get(f"{self.root}/readyz").text
            return bool(json.loads(self.last_probe)["status"] == "ok")
        return False

    def run(self, *arguments: str | Path, door: Door | None = None, timeout_s: float = 120) -> "Outcome":
        """Run a command of the command line, as the demo's owner or as whoever came through `door`."""
        environment = self.environment | ((door or self.demo).environment if door or self.is_set_up else {})
        done = subprocess.run(
            [FORETELL, *arguments], env=environment, cwd=self.home.parent, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=timeout_s, check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    @property
    def is_set_up(self) -> bool:
        return (self.home / "demo.json").exists()

    def pids(self, part: str) -> list[int]:
        """Return the processes of a part that the supervisor started."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        return [child.pid for child in children if MARKS[part] in " ".join(_command(child))]

    def family(self) -> list[Any]:
        """Return all processes of this installation: the supervisor's offspring, and whoever names the home."""
        assert self.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            return [*psutil.Process(self.process.pid).children(recursive=True), *self.strangers()]
        return self.strangers()

    def strangers(self) -> list[Any]:
        """Return the processes whose command line names the home, such as PostgreSQL, which is nobody's child."""
        return [process for process in psutil.process_iter() if str(self.home) in " ".join(_command(process))]

    def sockets(self) -> list[Path]:
        return [path for path in self.home.rglob("*") if path.is_socket()]

    def last_lines(self) -> str:
        return "\n".join([*self.log.read_text(errors="replace").splitlines()[-40:], self.last_probe])


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@contextmanager
def running(home: Path, *, kind: type[Installation] = Installation) -> Iterator[Installation]:
    """Have an installation for the length of the block, and nothing of it afterwards, whatever happened."""
    installation = kind(home)
    try:
        installation.start()
        yield installation
    finally:
        family = installation.family() if installation.process is not None else []
        if installation.process is not None and installation.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                installation.stop()
            installation.process.kill()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_so: Callable[[], bool], *, within_s: float, or_say: Callable[[], str] = str) -> float:
    """Wait, and return for how many seconds."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within_s, f"not within {within_s:g} s\n{or_say()}"
        time.sleep(0.1)
    return time.monotonic() - began


def _command(process: Any) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
