"""foretell token …: keys are shown without their private half, rotated, and replaced; somebody's tokens are ended."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from foretell.accounts.tokens.checking import verify_access
from foretell.accounts.tokens.models import SigningKey
from foretell.cli import app as cli
from tests.accounts.tokens.workshop import tokens_of
from tests.cast import House

Run = Callable[..., Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], acme: House) -> Run:
    """Run a command of acme's in this process; return what it prints as JSON, or its exit code."""

    def run_command(*arguments: str) -> Any:
        monkeypatch.setattr("sys.argv", ["foretell", "token", *arguments, "--tenant", "acme", "--json"])
        with pytest.raises(SystemExit) as caught:
            cli.run()
        printed = capsys.readouterr().out
        return int(caught.value.code or 0) if caught.value.code else json.loads(printed)

    return run_command


def is_valid(house: House, token: str) -> bool:
    with house.inside():
        return verify_access(token, now=timezone.now()) is not None


def test_keys_are_listed_with_what_others_verify_tokens_with(run: Run, acme: House) -> None:
    tokens_of(acme, "bob")

    shown = run("keys")

    assert (shown["issuer"], shown["audience"]) == ("http://localhost", str(acme.tenant.id))
    assert [key.keys() for key in shown["keys"]] == [{"kid", "signs_from", "verifies_until"}]


def test_a_rotated_key_signs_tomorrow_and_ends_nothing(run: Run, acme: House) -> None:
    pair = tokens_of(acme, "bob")

    made = run("rotate")

    with acme.inside():
        assert list(SigningKey.objects.values_list("kid", flat=True))[1:] == [made["kid"]]
    assert made["signs_from"] > timezone.now().isoformat()
    assert is_valid(acme, pair.access)
    assert is_valid(acme, tokens_of(acme, "bob").access)


def test_a_key_that_somebody_else_has_is_replaced_at_once(run: Run, acme: House) -> None:
    pair = tokens_of(acme, "bob")

    made = run("rotate", "--now")

    assert [key["kid"] for key in run("keys")["keys"]] == [made["kid"]]
    assert not is_valid(acme, pair.access)
    assert is_valid(acme, tokens_of(acme, "bob").access)


def test_somebodys_tokens_are_ended_and_nobody_elses(run: Run, acme: House) -> None:
    bobs, erins = tokens_of(acme, "bob"), tokens_of(acme, "erin")

    assert run("revoke", "BOB") == {"username": "BOB"}

    assert (is_valid(acme, bobs.access), is_valid(acme, erins.access)) == (False, True)
    assert run("revoke", "nobody") == 3
