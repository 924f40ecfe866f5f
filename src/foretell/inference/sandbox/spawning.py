"""Start a private sandbox: for a conversion from the command line, and for tests."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foretell.inference.errors import SandboxUnavailable
from foretell.inference.sandbox.client import Sandbox
from foretell.inference.sandbox.environment import clean_environment

DEFAULT_JOBS = "foretell.inference.jobs"


@contextmanager
def spawn_sandbox(
    *, socket_path: Path | None = None, jobs: str = DEFAULT_JOBS, ready_s: float = 60.0
) -> Iterator[Sandbox]:
    """Start a sandbox of one's own, wait until it answers, and stop it at the end.

    Raises
    ------
    SandboxUnavailable
        with the last words of the process, where it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="foretell-sandbox-") as directory:
        path = socket_path or Path(directory) / "sandbox.sock"
        log = Path(directory) / "log"
        process = _start(path, jobs, log)
        try:
            yield _ready(Sandbox(path), process, log, ready_s)
        finally:
            _stop(process)


def _start(path: Path, jobs: str, log: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "foretell.inference.sandbox",
        "--socket",
        str(path),
        "--jobs",
        jobs,
        "--die-with-parent",
    ]
    with log.open("wb") as stderr:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=clean_environment(),
            cwd="/",
        )


def _ready(sandbox: Sandbox, process: subprocess.Popen[bytes], log: Path, ready_s: float) -> Sandbox:
    deadline = time.monotonic() + ready_s
    while process.poll() is None:
        try:
            if sandbox.parent_pid() == process.pid:  # and not another one at the same place
                return sandbox
        except SandboxUnavailable:
            pass
        if time.monotonic() > deadline:
            raise SandboxUnavailable(f"The sandbox was not ready after {ready_s:g} s.")
        time.sleep(0.02)
    words = log.read_text(errors="replace").strip()[-500:]
    raise SandboxUnavailable(f"The sandbox did not start (exit code {process.returncode}): {words}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
