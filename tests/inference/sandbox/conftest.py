import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HOSTILE = Path(__file__).parent / "hostile"
sys.path.insert(0, str(HOSTILE))

from attacks import PRELOAD  # noqa: E402, F401 - fails here, with the reason, if the jobs cannot be imported
from world import World  # noqa: E402

from foretell.inference.sandbox import Sandbox, layers  # noqa: E402

PLAIN_UID = 54_321
RESULT_BYTES = 4 << 20
ENVIRONMENT_SECRET = "SECRET-OF-THE-ENVIRONMENT"


@dataclass(frozen=True)
class Arena:
    """A running sandbox and the world that its jobs attack."""

    sandbox: Sandbox
    world: World
    parent: "subprocess.Popen[bytes]"
    socket_path: Path

    def strays(self) -> list[int]:
        """Return the processes that come from this sandbox, but for its parent."""
        return [pid for pid in _processes_of(str(self.socket_path)) if pid != self.parent.pid]


def _processes_of(marker: str) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                yield int(path.parent.name)
        except OSError:
            continue


@contextmanager
def started(command: list[str], socket_path: Path) -> "Iterator[subprocess.Popen[bytes]]":
    python_path = os.pathsep.join(filter(None, (str(HOSTILE), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": python_path, "DATABASE_URL": ENVIRONMENT_SECRET}
    process = subprocess.Popen([sys.executable, *command], env=environment, stdin=subprocess.DEVNULL)
    try:
        Sandbox(socket_path).wait_until_ready(30)
        yield process
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def _needs_layers() -> None:
    missing = [f"{layer.name} ({layer.detail})" for layer in layers() if layer.required and not layer.available]
    if missing:
        pytest.skip(f"this machine's kernel has no {', '.join(missing)}")


@pytest.fixture(scope="session")
def own_arena(_needs_layers: None) -> Iterator[Arena]:
    """The sandbox as this user starts it: as root, each job is a user of its own."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sandbox.sock"
        command = ["-m", "foretell.inference.sandbox", "--socket", str(path), "--jobs", "attacks", "--die-with-parent"]
        world = World(
            uid=65_534 if is_root else None, threads_allowed=64 if is_root else 4_000, result_bytes=RESULT_BYTES
        )
        with started(command, path) as parent, world:
            yield Arena(Sandbox(path), world, parent, path)


@pytest.fixture(scope="session")
def plain_arena(_needs_layers: None) -> Iterator[Arena]:
    """The sandbox as a plain user starts it: each job is the same user as its parent and as the decoy."""
    if os.geteuid() != 0:
        pytest.skip("this user is plain already")
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, PLAIN_UID, PLAIN_UID)
        path = Path(directory) / "sandbox.sock"
        command = [str(HOSTILE / "plain_parent.py"), str(path), "attacks", str(PLAIN_UID)]
        world = World(uid=PLAIN_UID, threads_allowed=4_000, result_bytes=RESULT_BYTES)
        with started(command, path) as parent, world:
            yield Arena(Sandbox(path), world, parent, path)


@pytest.fixture
def sandbox(own_arena: Arena) -> Sandbox:
    return own_arena.sandbox


@pytest.fixture
def incomplete_sandbox() -> Iterator[Sandbox]:
    """A sandbox on a machine without Landlock."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sandbox.sock"
        with started([str(HOSTILE / "masked_parent.py"), str(path), "attacks"], path):
            yield Sandbox(path)
