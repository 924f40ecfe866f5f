"""A real PgBouncer between us and PostgreSQL: in transaction mode it mixes tenants, and is refused."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from foretell.core import poolers
from foretell.core.poolers import TransactionPooler, refuse_pooler

PGBOUNCER = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
PORT = 6543  # of a Unix socket in a directory of its own: it meets nobody else's


@contextmanager
def bouncer(directory: Path, *, mode: str) -> Iterator[Any]:
    """Yield a connection of ours that goes through a PgBouncer."""
    from django.db import connection

    from foretell.core.database_backend.base import DatabaseWrapper

    database = connection.settings_dict
    ini = directory / "pgbouncer.ini"
    ini.write_text(
        f"[databases]\nforetell = host={database['HOST']} port={database['PORT'] or 5432} dbname={database['NAME']} user={database['USER']}\n"
        f"[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {directory}\nauth_type = any\npool_mode = {mode}\n"
        f"default_pool_size = 4\nlogfile = {directory}/log\n"
    )
    own: dict[str, Any] = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:  # PgBouncer does not run as root, and only PostgreSQL's own user reaches its socket
        owner = Path(database["HOST"]).stat()
        os.chown(directory, owner.st_uid, owner.st_gid)
        own |= {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    process = subprocess.Popen([str(PGBOUNCER), str(ini)], **own)
    options = {key: value for key, value in database["OPTIONS"].items() if key != "pool"} | {"connect_timeout": 10}
    wrapper = DatabaseWrapper(
        {**database, "HOST": str(directory), "PORT": str(PORT), "NAME": "foretell", "OPTIONS": options}
    )
    try:
        wait_for(directory / f".s.PGSQL.{PORT}", process)
        yield wrapper
    finally:
        wrapper.close()
        process.terminate()
        process.wait(10)


def wait_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except OSError:
                assert process.poll() is None, "PgBouncer did not start: " + (path.parent / "log").read_text()
            else:
                return
        time.sleep(0.05)
    raise AssertionError("PgBouncer does not listen")


@pytest.fixture
def directory(database: None, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory that PgBouncer's user reaches; pytest's own belong to whoever runs it alone."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed; tools/test-setup installs it")
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ft-bouncer-") as name:
        yield Path(name)


def test_postgresql_itself_is_no_pooler(database: None) -> None:
    from django.db import connection

    refuse_pooler(connection)


def test_a_pooler_in_transaction_mode_is_found_and_refused_with_the_way_out(directory: Path) -> None:
    with bouncer(directory, mode="transaction") as connection, pytest.raises(TransactionPooler) as refused:
        refuse_pooler(connection)

    assert "session mode" in refused.value.message


def test_a_pooler_in_session_mode_is_taken(directory: Path) -> None:
    with bouncer(directory, mode="session") as connection:
        refuse_pooler(connection)


def test_no_query_of_ours_goes_through_a_pooler_in_transaction_mode(directory: Path) -> None:
    from foretell.core.tenancy import use_public

    with bouncer(directory, mode="transaction") as connection, use_public(), pytest.raises(TransactionPooler):
        connection.cursor()


def test_control_without_the_look_the_pooler_hands_one_session_to_two_clients(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    with bouncer(directory, mode="transaction") as connection:
        parameters = {
            key: value
            for key, value in connection.get_connection_params().items()
            if key not in ("cursor_factory", "context")
        }
        with (
            psycopg.connect(**parameters, autocommit=True) as acme,
            psycopg.connect(**parameters, autocommit=True) as globex,
        ):
            acme.execute("SET search_path = t_acme")
            globex.execute("SET search_path = t_globex")
            assert acme.execute("SHOW search_path").fetchone() == ("t_globex",)


def test_a_process_looks_once_for_each_server(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection

    looks: list[object] = []
    monkeypatch.setattr(poolers, "_direct", set())
    monkeypatch.setattr(poolers, "refuse_pooler", looks.append)

    for _ in range(3):
        poolers.refuse_pooler_once(connection)

    assert len(looks) == 1


def test_roles_hold_through_a_pooler_in_session_mode(directory: Path, cast: Any) -> None:
    from django.db import ProgrammingError

    with bouncer(directory, mode="session") as connection:
        with cast.acme.inside(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user, username FROM accounts_user WHERE username = 'alice'")
            assert cursor.fetchall() == [(cast.acme.tenant.schema_name, "alice")]
        with (
            cast.globex.inside(),
            connection.cursor() as cursor,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            cursor.execute(f"SELECT * FROM {cast.acme.tenant.schema_name}.accounts_user")  # noqa: S608  a name of ours
