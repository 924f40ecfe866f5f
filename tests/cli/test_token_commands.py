"""foretell token …: keys are shown without their private half, rotated, and replaced; somebody's tokens are ended."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from foretell.accounts.tokens.checking import verify_access
from foretell.accounts.tokens.models import SigningKey
from tests.accounts.tokens.workshop import tokens_of
from tests.cast import House
from tests.commands import Run

Ask = Callable[..., Any]


@pytest.fixture
def token(run: Run, acme: House) -> Ask:
    """Run a token command of acme's; return what it prints as JSON, or its exit code."""

    def ask(*arguments: str) -> Any:
        code, out, _ = run("token", *arguments, "--tenant", "acme", "--json")
        return code or json.loads(out)

    return ask


def is_valid(house: House, token: str) -> bool:
    with house.inside():
        return verify_access(token, now=timezone.now()) is not None


def test_keys_are_listed_with_what_others_verify_tokens_with(token: Ask, acme: House) -> None:
    tokens_of(acme, "bob")

    shown = token("keys")

    assert (shown["issuer"], shown["audience"]) == ("http://localhost", str(acme.tenant.id))
    assert [key.keys() for key in shown["keys"]] == [{"kid", "signs_from", "verifies_until"}]


def test_a_rotated_key_signs_tomorrow_and_ends_nothing(token: Ask, acme: House) -> None:
    pair = tokens_of(acme, "bob")

    made = token("rotate")

    with acme.inside():
        assert list(SigningKey.objects.values_list("kid", flat=True))[1:] == [made["kid"]]
    assert made["signs_from"] > timezone.now().isoformat()
    assert is_valid(acme, pair.access)
    assert is_valid(acme, tokens_of(acme, "bob").access)


def test_a_key_that_somebody_else_has_is_replaced_at_once(token: Ask, acme: House) -> None:
    pair = tokens_of(acme, "bob")

    made = token("rotate", "--now")

    assert [key["kid"] for key in token("keys")["keys"]] == [made["kid"]]
    assert not is_valid(acme, pair.access)
    assert is_valid(acme, tokens_of(acme, "bob").access)


def test_somebodys_tokens_are_ended_and_nobody_elses(token: Ask, acme: House) -> None:
    bobs, erins = tokens_of(acme, "bob"), tokens_of(acme, "erin")

    assert token("revoke", "BOB") == {"username": "BOB"}

    assert (is_valid(acme, bobs.access), is_valid(acme, erins.access)) == (False, True)
    assert token("revoke", "nobody") == 3
