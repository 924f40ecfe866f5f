"""An operator's work, from an empty home to a revoked key: what the commands say is so is so."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands import Run
from tests.http import FreshTransport

DOOR = {"url", "tenant", "username", "password", "api_key"}


@pytest.fixture
def asked(run: Run) -> Callable[..., Any]:
    """Run a command with ``--json``, which has to succeed and to print nothing but its result."""

    def ask(*arguments: str) -> Any:
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return ask


@pytest.fixture
def initech(cast: object, asked: Callable[..., Any], run: Run) -> Iterator[Mapping[str, str]]:
    """A tenant that is made and deleted from the command line."""
    yield asked("tenant", "create", "initech", "--domain", "models.initech.example", "--owner", "peter")
    run("tenant", "delete", "initech", "--yes", "--now")


def status(host: str, *, key: str = "", basic: tuple[str, str] | None = None) -> int:
    """Return how the door of `host` answers this credential."""
    from foretell.config.asgi import application

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(transport=FreshTransport(application), base_url=f"http://{host}", headers=headers) as client:
        return client.get("/api/v1/me/", auth=basic).status_code


# --- tenants ---


def test_a_new_tenant_comes_with_a_way_in(initech: Mapping[str, str]) -> None:
    assert set(initech) == DOOR
    assert (initech["tenant"], initech["username"]) == ("initech", "peter")
    assert initech["url"].endswith("/t/initech")
    assert status("initech.localhost", key=initech["api_key"]) == 200
    assert status("models.initech.example", basic=("peter", initech["password"])) == 200
    assert status("acme.localhost", key=initech["api_key"]) == 401


def test_a_name_that_is_taken_is_refused_and_changes_nothing(initech: Mapping[str, str], run: Run) -> None:
    code, out, err = run("tenant", "create", "initech")

    assert (code != 0, out) == (True, "")
    assert "initech" in err
    assert status("initech.localhost", key=initech["api_key"]) == 200


@pytest.mark.parametrize("name", ["../x", "Acme", "a b", "t_1'; DROP SCHEMA public"])
@pytest.mark.usefixtures("cast")
def test_a_name_that_is_none_is_refused_with_what_is_expected(run: Run, name: str) -> None:
    code, out, err = run("tenant", "create", name)

    assert code != 0
    assert out == ""
    assert "Traceback" not in err
    assert err.startswith("error:")


def test_delete_asks_for_the_name(initech: Mapping[str, str], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "acme")
    refused = run("tenant", "delete", "initech", "--now")
    still_there = status("initech.localhost", key=initech["api_key"])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "initech")

    deleted = run("tenant", "delete", "initech", "--now", "--json")

    assert (refused[0], still_there) == (1, 200)
    assert json.loads(deleted[1]) == {"name": "initech", "state": "deleted"}
    assert status("initech.localhost", key=initech["api_key"]) == 404


def test_suspend_and_resume_say_the_state(initech: Mapping[str, str], asked: Callable[..., Any]) -> None:
    suspended, while_suspended = asked("tenant", "suspend", "initech"), asked("tenant", "list")
    resumed = asked("tenant", "resume", "initech")

    assert suspended == {"name": "initech", "state": "suspended", "reason": None, "until": None}
    assert {"initech": "suspended"}.items() <= {row["name"]: row["state"] for row in while_suspended}.items()
    assert resumed == {"name": "initech", "state": "active"}


# --- people and keys ---


def test_a_new_person_may_come_in_until_deactivated(initech: Mapping[str, str], asked: Callable[..., Any]) -> None:
    milton = asked("user", "create", "milton", "--tenant", "initech", "--email", "milton@initech.example")
    basic = ("milton", milton["password"])
    before = status("initech.localhost", basic=basic)

    deactivated = asked("user", "deactivate", "milton", "--tenant", "initech")

    assert (milton["role"], before) == ("viewer", 200)
    assert deactivated == {"username": "milton", "is_active": False}
    assert status("initech.localhost", basic=basic) == 401


def test_a_changed_password_and_role_hold_at_once(
    initech: Mapping[str, str], asked: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "my stapler is red")

    changed = asked("user", "passwd", "peter", "--tenant", "initech")

    assert changed == {"username": "peter"}
    assert status("initech.localhost", basic=("peter", "my stapler is red")) == 200
    assert status("initech.localhost", basic=("peter", initech["password"])) == 401


def test_a_key_is_shown_once_and_ends_when_revoked(initech: Mapping[str, str], asked: Callable[..., Any]) -> None:
    made = asked("key", "create", "--tenant", "initech", "--user", "peter", "--name", "dashboard", "--scope", "predict",
                 "--scope", "models:read")  # fmt: skip
    before = status("initech.localhost", key=made["api_key"])
    listed = asked("key", "list", "--tenant", "initech")

    asked("key", "revoke", made["id"], "--tenant", "initech")

    assert before == 200
    assert {"dashboard": ["predict", "models:read"]}.items() <= {row["name"]: row["scopes"] for row in listed}.items()
    assert made["api_key"] not in json.dumps(listed)
    assert status("initech.localhost", key=made["api_key"]) == 401


@pytest.mark.parametrize(
    "command",
    [
        ("user", "create", "x", "--email", "nowhere"),
        ("user", "create", "peter", "--email", "other@initech.example"),
        ("user", "role", "peter", "king"),
        ("user", "role", "nobody", "viewer"),
        ("key", "create", "--user", "peter", "--scope", "everything"),
        ("key", "revoke", "nosuchkey"),
    ],
)
def test_what_cannot_be_is_refused_in_words(initech: Mapping[str, str], run: Run, command: tuple[str, ...]) -> None:
    code, out, err = run(*command, "--tenant", "initech")

    assert code in (1, 3, 5)
    assert out == ""
    assert err.startswith("error:")
    assert "Traceback" not in err


# --- from nothing ---


@pytest.fixture
def fresh() -> Iterator[Callable[..., "subprocess.CompletedProcess[str]"]]:
    """Run commands as processes on a home where nothing is yet."""
    with tempfile.TemporaryDirectory(prefix="ft-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}

        def run_process(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [sys.executable, "-m", "foretell.cli", *arguments], cwd=name, capture_output=True, text=True, check=False,
                env=kept | {"FORETELL_HOME": f"{name}/home", "PORT": "8000"} | environment, timeout=60,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip

        yield run_process


def test_without_a_migration_nothing_serves_and_the_way_out_is_said(
    fresh: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    refused = [fresh(*command) for command in (["web"], ["worker"], ["tenant", "list"])]

    first, second = fresh("migrate", "--json"), fresh("migrate", "--json")

    assert [done.returncode for done in refused] == [1, 1, 1]
    assert all("Run `foretell migrate`" in done.stderr and "Traceback" not in done.stderr for done in refused)
    assert [json.loads(done.stdout) for done in (first, second)] == [
        {"migrated": is_first, "public": is_first, "tenants": 0, "failed": []} for is_first in (True, False)
    ]
    assert json.loads(fresh("tenant", "list", "--json").stdout) == []
    assert fresh("manage", "check").returncode == 0


def test_the_doctor_tells_what_is_missing_and_fails_only_where_something_does(
    fresh: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    before = fresh("doctor", "--json")
    fresh("migrate")
    after = fresh("doctor", "--json")
    away = fresh("doctor", "--json", DATABASE_URL="postgresql://nobody:letmein@127.0.0.1:1/none")

    states = [
        {finding["what"]: finding["state"] for finding in json.loads(done.stdout)} for done in (before, after, away)
    ]
    assert [state["database"] for state in states] == ["warn", "ok", "fail"]
    assert (states[1]["migrations"], states[1]["pooler"], states[1]["clock"]) == ("ok", "ok", "ok")
    assert away.returncode == 1
    assert "letmein" not in away.stdout


@pytest.mark.parametrize("command", [["tenant", "list"], ["web"], ["worker"], ["migrate"]])
def test_a_database_that_is_away_is_one_sentence(
    fresh: Callable[..., "subprocess.CompletedProcess[str]"], command: list[str]
) -> None:
    done = fresh(*command, DATABASE_URL="postgresql://nobody:letmein@127.0.0.1:1/none")

    assert done.returncode == 6
    assert done.stderr.startswith("error: The database cannot be used:")
    assert "Check DATABASE_URL" in done.stderr
    assert "letmein" not in done.stderr


def test_the_version_and_the_help_need_no_server() -> None:
    program = """
import sys
sys.argv = ["foretell", "--help"]
from foretell.cli import main
try:
    main()
except SystemExit as done:
    loaded = {"django", "numpy", "sklearn", "psycopg", "httpx"} & set(sys.modules)
    sys.exit(f"imported {loaded}" if loaded else done.code)
"""

    helped = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    versioned = subprocess.run([sys.executable, "-m", "foretell.cli", "--version"], capture_output=True, text=True)

    assert helped.returncode == 0, helped.stderr
    assert versioned.stdout.startswith("foretell 0.")


# --- limits ---


def test_a_tenants_limits_are_set_shown_and_taken_back(initech: Mapping[str, str], asked: Callable[..., Any]) -> None:
    before = asked("tenant", "limits", "initech")
    changed = asked("tenant", "limits", "initech", "--tenant", "100/s", "--key", "off", "--rows-per-month", "1000")
    shown = asked("tenant", "limits", "initech")
    back = asked(
        "tenant", "limits", "initech", "--tenant", "default", "--key", "default", "--rows-per-month", "default"
    )

    assert before == back
    assert changed == shown
    assert shown["limits"] == {"tenant": "100/s", "key": "off", "rows_per_month": 1000}
    assert shown["in_force"] == {
        "tenant": "100/s", "user": "60000/min", "key": "off", "requests_per_month": "none", "rows_per_month": "1000",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value"),
    [("--tenant", "much"), ("--key", "0/s"), ("--requests-per-month", "-1"), ("--rows-per-month", "many"), ("--rows-per-month", "9" * 20)],
)  # fmt: skip
def test_a_limit_that_is_none_is_refused_and_changes_nothing(
    initech: Mapping[str, str], run: Run, asked: Callable[..., Any], option: str, value: str
) -> None:
    code, _, err = run("tenant", "limits", "initech", "--user", "5/min", option, value)

    assert code != 0
    assert value[:10] in err
    assert "expected" in err
    assert asked("tenant", "limits", "initech")["limits"] == {}
