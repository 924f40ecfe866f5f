"""Passwords over the lane: Django's own backends, Django's own limits, off the event loop."""

import asyncio
import contextlib

import pytest

from foretell.accounts.models import User
from foretell.accounts.services import create_user, pepper
from foretell.gateway.away import DatabaseAway
from foretell.gateway.lane import Gateway
from foretell.limits import Throttled
from foretell.serving.catalogue import Principal
from tests.cast import PASSWORD, Cast, House
from tests.gateway.conftest import Away, entry


def verified(gateway: Gateway, house: House, *, name: str, password: str = PASSWORD) -> Principal | None:
    return asyncio.run(
        gateway.credentials.verify_password(
            entry(gateway, house), name=name, password=password, client="203.0.113.9"
        )
    )  # fmt: skip


@pytest.mark.parametrize("name", ["bob", "BOB", "bob@acme.example"])
def test_a_person_is_found_by_name_or_address_with_what_they_may(acme: House, gateway: Gateway, name: str) -> None:
    principal = verified(gateway, acme, name=name)

    assert principal is not None
    assert (principal.username, principal.may_predict, principal.key_id) == ("bob", True, None)
    assert [claim.policy.name for claim in principal.claims] == ["user", "tenant"]


@pytest.mark.parametrize(("name", "password"), [("bob", "wrong"), ("nobody", PASSWORD), ("bob", "nul\0"), ("", "")])
def test_a_wrong_name_or_password_is_nobody(acme: House, gateway: Gateway, name: str, password: str) -> None:
    assert verified(gateway, acme, name=name, password=password) is None


def test_another_tenants_password_is_nobodys(cast: Cast, gateway: Gateway) -> None:
    assert verified(gateway, cast.acme, name="carol") is None
    assert verified(gateway, cast.globex, name="carol") is not None


def test_somebody_who_came_a_moment_ago_is_let_in(acme: House, gateway: Gateway) -> None:
    with acme.inside():
        create_user(username="frieda", email="frieda@acme.example", password=PASSWORD)

    principal = verified(gateway, acme, name="frieda")

    assert principal is not None
    assert principal.may_predict


def test_failures_are_limited_before_anything_is_hashed(
    acme: House, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.accounts.passwords import Argon2Hasher

    hashed: list[str] = []
    monkeypatch.setattr(Argon2Hasher, "verify", lambda self, password, encoded: hashed.append(password))

    def guess() -> None:
        for _ in range(30):
            verified(gateway, acme, name="bob", password="wrong")

    with pytest.raises(Throttled):
        guess()
    assert 0 < len(hashed) < 30


def test_a_database_that_is_away_is_said_in_words(acme: House, gateway: Gateway, away: Away) -> None:
    with away(), pytest.raises(DatabaseAway):
        verified(gateway, acme, name="bob")


def test_who_was_right_before_the_database_went_away_is_let_in_while_nothing_changed(
    acme: House, gateway: Gateway, away: Away
) -> None:
    assert verified(gateway, acme, name="bob") is not None
    before = entry(gateway, acme)

    with away():
        gateway.catalogue.is_cut_off = True
        principal = verified(gateway, acme, name="bob")
        assert principal is not None
        assert principal is before.people[principal.user_id]
        assert principal.username == "bob"
        with pytest.raises(DatabaseAway):
            verified(gateway, acme, name="bob", password="wrong")
        with pytest.raises(DatabaseAway):
            verified(gateway, acme, name="alice")

    with acme.inside():
        User.objects.filter(username="erin").update(role="viewer")
    gateway.refresh()
    with away():
        gateway.catalogue.is_cut_off = True
        with pytest.raises(DatabaseAway):
            verified(gateway, acme, name="bob")


def test_guessing_is_limited_while_the_database_is_away(acme: House, gateway: Gateway) -> None:
    gateway.catalogue.is_cut_off = True

    def guess() -> None:
        for _ in range(30):
            with contextlib.suppress(DatabaseAway):
                verified(gateway, acme, name="bob", password="wrong")

    with pytest.raises(Throttled):
        guess()


def test_keys_are_verified_with_the_installations_pepper(acme: House, gateway: Gateway) -> None:
    assert gateway.credentials.pepper == pepper()
