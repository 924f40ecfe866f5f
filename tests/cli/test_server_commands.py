"""Commands of the operator: results on stdout, words on stderr, and an exit code that means something."""

import importlib.util
import json
from typing import Any

import pytest

from tests.commands import Run


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("command", [("tenant", "suspend", "nobody"), ("user", "list", "--tenant", "nobody")])
def test_an_unknown_tenant_is_not_found(run: Run, command: tuple[str, ...]) -> None:
    code, out, err = run(*command)

    assert (code, out) == (3, "")
    assert err.startswith("error:")


@pytest.mark.usefixtures("cast")
def test_tenants_are_listed_as_json(run: Run) -> None:
    code, out, err = run("tenant", "list", "--json")

    assert (code, err) == (0, "")
    assert {"acme", "globex"} <= {tenant["name"] for tenant in json.loads(out)}


@pytest.mark.usefixtures("cast")
def test_the_people_of_a_tenant_are_listed_as_json(run: Run) -> None:
    code, out, _ = run("user", "list", "--tenant", "acme", "--json")

    assert code == 0
    assert {"alice": "owner", "bob": "viewer"}.items() <= {p["username"]: p["role"] for p in json.loads(out)}.items()


@pytest.mark.usefixtures("cast")
def test_a_key_of_more_days_than_there_are_dates_is_wrong_usage(run: Run) -> None:
    code, out, err = run("key", "create", "--tenant", "acme", "--user", "bob", "--days", "99999999999")

    assert (code, out) == (2, "")
    assert "36500" in err


@pytest.mark.usefixtures("cast")
def test_words_go_to_stderr(run: Run) -> None:
    suspended = run("tenant", "suspend", "globex")
    resumed = run("tenant", "resume", "globex")

    assert [suspended[:2], resumed[:2]] == [(0, ""), (0, "")]
    assert "tenant resume globex" in suspended[2]


def test_usage_is_exit_code_2(run: Run) -> None:
    assert run("tenant", "no-such-command")[0] == 2


@pytest.mark.parametrize("command", [("up",), ("worker",), ("migrate",), ("tenant", "list")])
def test_a_base_install_says_which_extra_is_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    find_spec = importlib.util.find_spec

    def without_django(name: str, package: str | None = None) -> Any:
        return None if name == "django" else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_django)

    code, out, err = run(*command)

    assert (code, out) == (1, "")
    assert "foretell[server]" in err


def test_a_malformed_variable_stops_the_start_with_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")

    code, out, err = run("up")

    assert (code, out) == (1, "")
    assert err.strip() == "error: PORT is 'http'; expected a whole number. Correct it in the environment or in .env."


@pytest.mark.usefixtures("cast")
def test_how_a_tenant_logs_is_shown_and_changed(run: Run) -> None:
    assert json.loads(run("tenant", "log", "acme", "--json")[1]) == {
        "name": "acme",
        "policy": "required",
        "retention_days": 90,
    }

    code, out, _ = run("tenant", "log", "acme", "--policy", "best_effort", "--retention-days", "30", "--json")
    assert (code, json.loads(out)) == (0, {"name": "acme", "policy": "best_effort", "retention_days": 30})

    assert run("tenant", "log", "acme", "--policy", "sometimes")[0] != 0
    run("tenant", "log", "acme", "--policy", "required", "--retention-days", "90")
