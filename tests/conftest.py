"""The cast, on a real PostgreSQL that this run starts and stops: acme with its people, and globex with Carol, who must see nothing of acme.

Alice owns acme, Adam administers it, Erin edits, Bob reads. Tests that name none of them touch no database.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_STATE = tempfile.TemporaryDirectory(prefix="foretell-tests-")
# Before Django's settings are read: the state of this run is its own, whatever the environment says.
for _name in [name for name in os.environ if name.startswith("FORETELL_")] + ["DATABASE_URL", "SECRET_KEY"]:
    os.environ.pop(_name, None)
os.environ["FORETELL_HOME"] = _STATE.name
os.environ["DJANGO_SETTINGS_MODULE"] = "foretell.config.settings"
Path(_STATE.name).chmod(0o711)
# Optimization: beside another process, threads that share out a little work spend most of their time waiting for one another.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import django  # noqa: E402

django.setup()

import httpx  # noqa: E402

from tests.cast import Cast, House, open_house  # noqa: E402
from tests.commands import Run, runner  # noqa: E402
from tests.hashing import QUICK, hash_with  # noqa: E402
from tests.http import HttpFor, http_client, revisions  # noqa: E402

hash_with(QUICK)


@pytest.fixture(autouse=True)
def nobody_acts() -> Iterator[None]:
    """Each test begins as nobody: whom an earlier one let in outside of a request is not who acts in this one."""
    from foretell.audit.actors import NOBODY, acting

    with acting(NOBODY):
        yield


@pytest.fixture(scope="session")
def database() -> Iterator[None]:
    """A migrated database without tenants."""
    from django.db import connections

    from foretell.config.migrating import migrate
    from foretell.embedded.database import running_database

    with running_database():
        hurry()
        migrate()
        yield
        revisions.close()
        connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has a pool


def hurry() -> None:
    """Let commits not wait for the disk: what a test has written survives the end of any process, and need not survive the machine's."""
    from django.db import connection

    from foretell.core.tenancy import as_owner, use_public

    with use_public(), as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET fsync = off")
        cursor.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def _houses(database: None) -> dict[str, House]:
    return {
        "acme": open_house("acme", {"alice": "owner", "adam": "admin", "erin": "editor", "bob": "viewer"}),
        "globex": open_house("globex", {"carol": "owner"}),
    }


@pytest.fixture
def cast(_houses: dict[str, House]) -> Iterator[Cast]:
    """Both tenants as they were in the beginning: no models, the people as introduced, one key each."""
    yield Cast(**_houses)
    for house in _houses.values():
        house.reset()


@pytest.fixture
def acme(cast: Cast) -> House:
    return cast.acme


@pytest.fixture
def globex(cast: Cast) -> House:
    return cast.globex


@pytest.fixture
def http_for(cast: Cast) -> Iterator[HttpFor]:
    """HTTP as somebody of the cast (by API key), or as nobody: ``http_for("alice")``, ``http_for(None, tenant="globex")``."""
    clients: list[httpx.Client] = []

    def open_client(person: str | None, *, tenant: str | None = None) -> httpx.Client:
        client = http_client(cast, person, tenant)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: ``code, out, err = run("tenant", "list", "--json")``."""
    return runner(monkeypatch, capfd)


@pytest.fixture
def alice(http_for: HttpFor) -> httpx.Client:
    return http_for("alice")


@pytest.fixture
def bob(http_for: HttpFor) -> httpx.Client:
    return http_for("bob")


@pytest.fixture
def erin(http_for: HttpFor) -> httpx.Client:
    return http_for("erin")


@pytest.fixture
def carol(http_for: HttpFor) -> httpx.Client:
    """Carol, of globex, at acme's door."""
    return http_for("carol", tenant="acme")
