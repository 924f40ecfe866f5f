"""Whoever needs the embedded server has it, and the last one to leave stops it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foretell.embedded.database import DatabaseWatch
from foretell.embedded.postgres import Postgres
from foretell.embedded.sharing import shared

USE = """
import sys, time
from pathlib import Path
from foretell.embedded.ending import end_in_order
from foretell.embedded.postgres import Postgres
from foretell.embedded.sharing import shared
end_in_order()
with shared(Postgres(Path(sys.argv[1]))):
    print("in use", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ft-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name) / "postgres" / "data"


@pytest.fixture
def server(data_dir: Path) -> Iterator[Postgres]:
    server = Postgres(data_dir)
    yield server
    server.stop()


@contextmanager
def another_user(server: Postgres) -> Iterator["subprocess.Popen[bytes]"]:
    """Have another process that uses the server."""
    process = subprocess.Popen([sys.executable, "-c", USE, str(server.data_dir)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        try:
            assert process.stdout.readline() == b"in use\n"
            yield process
        finally:
            process.kill()


def test_a_lone_user_starts_and_stops_it(server: Postgres) -> None:
    with shared(server):
        assert server.is_running

    assert not server.is_running


def test_one_who_leaves_does_not_stop_it_under_another(server: Postgres) -> None:
    with another_user(server) as other:
        with shared(server):
            pass
        assert server.is_running

        other.send_signal(signal.SIGTERM)
        other.wait(30)

    assert not server.is_running


def test_one_who_was_killed_is_not_counted(server: Postgres) -> None:
    with another_user(server) as other:
        other.kill()
        other.wait()
        assert server.is_running  # the control: nobody was left to stop it

    with shared(server):
        pass

    assert not server.is_running


def test_signals_that_keep_coming_do_not_cut_off_the_stop(server: Postgres) -> None:
    with another_user(server) as other:
        deadline = time.monotonic() + 30
        while other.poll() is None and time.monotonic() < deadline:
            other.send_signal(signal.SIGTERM)
            time.sleep(0.01)

    assert other.returncode in (128 + signal.SIGTERM, -signal.SIGTERM)  # the latter in the interpreter's last breath
    assert not server.is_running


def test_a_start_that_fails_leaves_no_server(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_ensure_database", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError), shared(server):
        pass

    assert not server.is_running


def test_the_watch_starts_a_killed_server_again(server: Postgres) -> None:
    lines: list[str] = []
    watch = DatabaseWatch(server, lambda part, line: lines.append(line))
    with shared(server):
        killed = server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)

        deadline = time.monotonic() + 30
        while server.pid in (killed, None) and time.monotonic() < deadline:
            watch(time.monotonic())
            time.sleep(0.1)

        assert server.pid not in (killed, None)
    assert lines[0] == "is gone; starting it again"
