"""PostgreSQL from a wheel: set up once, started, stopped, and whole again after a kill."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from foretell.embedded.postgres import MAX_SOCKET_PATH, Postgres


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ft-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name) / "postgres" / "data"


@pytest.fixture
def server(data_dir: Path) -> Iterator[Postgres]:
    """A server that runs, on data that the tests of this file share."""
    server = Postgres(data_dir)
    server.start()
    yield server
    server.stop()


def answer(server: Postgres, query: str) -> object:
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def test_it_is_there_and_speaks_unicode(server: Postgres) -> None:
    assert answer(server, "SHOW server_encoding") == "UTF8"
    assert answer(server, "SELECT current_database()") == "foretell"


def test_it_listens_at_no_network_address(server: Postgres) -> None:
    assert answer(server, "SHOW listen_addresses") == ""
    assert server.socket_dir.stat().st_mode & 0o077 == 0


def test_starting_twice_is_starting_once(server: Postgres) -> None:
    pid = server.pid

    assert Postgres(server.data_dir).start() == server.url
    assert server.pid == pid


def test_stopping_leaves_no_process_and_no_socket_and_is_safe_to_repeat(server: Postgres) -> None:
    server.stop()
    server.stop()

    assert not server.is_running
    assert not server.socket_dir.exists()


def test_what_was_committed_survives_a_kill(server: Postgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("TRUNCATE kept")
        connection.execute("INSERT INTO kept VALUES ('still here')")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while server.is_running and time.monotonic() < deadline:
        time.sleep(0.05)

    server.start()

    assert answer(server, "SELECT word FROM kept") == "still here"


def test_a_stale_pid_file_is_no_server(data_dir: Path) -> None:
    elsewhere = data_dir.parent / "elsewhere"
    elsewhere.mkdir(parents=True, exist_ok=True)
    (elsewhere / "postmaster.pid").write_text(f"{os.getpid()}\n")

    assert not Postgres(elsewhere).is_running


def test_the_socket_of_a_long_path_is_in_a_short_place(tmp_path: Path) -> None:
    server = Postgres(tmp_path / ("long" * 30) / "data")

    assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432")) <= MAX_SOCKET_PATH
    assert server.socket_dir != Postgres(tmp_path / ("gone" * 30) / "data").socket_dir
