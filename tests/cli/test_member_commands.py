"""foretell user …, key …, access …: what an operator does with the people of a tenant."""

import json
from typing import Any

import pytest

from foretell.accounts.models import APIKey, Invitation, User
from tests.cast import House
from tests.commands import Run
from tests.models import ready_sum_model

ACME = ("--tenant", "acme")


def result(outcome: tuple[int, str, str]) -> Any:
    code, out, err = outcome
    assert code == 0, err
    return json.loads(out)


def test_a_service_account_has_keys_and_somebody_who_answers_for_it(run: Run, acme: House) -> None:
    made = result(
        run("user", "create", "ci", "--service", "--responsible", "adam", "--role", "editor", *ACME, "--json")
    )
    key = result(run("key", "create", "--user", "ci", "--scope", "models:write", *ACME, "--json"))

    assert made == {"username": "ci", "role": "editor", "responsible": "adam"}
    assert key["api_key"].startswith(f"ft_{key['id']}_")
    assert result(run("user", "responsible", "ci", "alice", *ACME, "--json"))["responsible"] == "alice"
    listed = {row["username"]: row for row in result(run("user", "list", *ACME, "--json"))}
    assert (listed["ci"]["kind"], listed["ci"]["responsible"]) == ("service", "alice")
    assert run("user", "create", "x", "--service", *ACME)[0] == 2
    assert run("user", "create", "x", "--service", "--responsible", "bob", *ACME)[0] == 5


def test_a_key_is_rolled_with_a_grace_and_revoked(run: Run, acme: House) -> None:
    key = result(run("key", "create", "--user", "bob", *ACME, "--json"))

    rolled = result(run("key", "roll", key["id"], "--grace", "2", *ACME, "--json"))

    assert rolled["rolled_from"] == key["id"] != rolled["id"]
    assert rolled["old_valid_until"] is not None
    assert run("key", "roll", key["id"], *ACME)[0] == 1
    assert run("key", "revoke", rolled["id"], *ACME)[0] == 0
    with acme.inside():
        assert APIKey.objects.get(pk=rolled["id"]).revoked_at is not None


def test_somebody_is_invited_seen_and_uninvited(run: Run, acme: House) -> None:
    made = result(run("user", "invite", "zoe@acme.example", "--role", "editor", *ACME, "--json"))

    assert "/t/acme/accounts/invitation/" in made["link"]
    assert [row["state"] for row in result(run("user", "invitations", *ACME, "--json"))] == ["open"]
    assert run("user", "uninvite", "ZOE@acme.example", *ACME)[0] == 0
    assert run("user", "uninvite", "zoe@acme.example", *ACME)[0] == 3
    with acme.inside():
        assert Invitation.objects.get().revoked_at is not None


def test_members_are_deactivated_let_in_again_and_removed(
    run: Run, acme: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETELL_PASSWORD", "a long enough passphrase")
    run("user", "create", "temp", "--email", "temp@acme.example", *ACME)

    assert run("user", "deactivate", "temp", *ACME)[0] == 0
    assert run("user", "reactivate", "temp", *ACME)[0] == 0
    assert run("user", "remove", "temp", "--yes", *ACME)[0] == 0
    assert run("user", "remove", "temp", "--yes", *ACME)[0] == 3
    assert run("user", "remove", "alice", "--yes", *ACME)[0] == 1, "the last owner"
    with acme.inside():
        assert User.objects.filter(removed_at=None, username="temp").count() == 0


def test_what_a_model_asks_and_what_was_granted_on_it(run: Run, acme: House) -> None:
    ready_sum_model(acme)

    assert result(run("access", "set", "sum", "--restricted", "--four-eyes", *ACME, "--json"))["four_eyes"] is True
    assert result(run("access", "grant", "sum", "bob", "--may", "push", *ACME, "--json"))["actions"] == ["push"]
    assert result(run("access", "show", "sum", *ACME, "--json")) == {
        "model": "sum", "restricted": True, "four_eyes": True, "grants": [{"user": "bob", "actions": ["push"]}]
    }  # fmt: skip
    assert run("access", "take", "sum", "bob", *ACME)[0] == 0
    assert run("access", "grant", "sum", "bob", "--may", "everything", *ACME)[0] == 5
    assert run("access", "show", "absent", *ACME)[0] == 3
