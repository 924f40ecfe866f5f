"""A token ends with what it stood on: at Django at once, on the lane as soon as it hears of it, which is within a second."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from foretell.accounts.models import User
from foretell.accounts.services import change_password, deactivate_user
from foretell.accounts.tokens import services
from foretell.accounts.tokens.models import SigningKey, TokenFamily
from foretell.accounts.tokens.signing_keys import replace_all
from foretell.core.tenancy import use_public
from foretell.gateway.lane import Gateway
from foretell.tenants.models import Tenant
from tests.accounts.tokens.workshop import bearer, posted, tokens_of
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.models import ready_sum_model

ME, LANE, PREDICT = "/api/v1/me/", "/v2", "/api/v1/models/sum/predict/"


def suspend(house: House) -> None:
    with use_public():
        Tenant.objects.filter(pk=house.tenant.pk).update(suspended_at=timezone.now())


def written_from_memory(house: House) -> None:
    """Save a row that was read before everything ended: nothing comes back with it."""
    stale = house.user("bob")
    services.end_all(user=house.user("bob"))
    stale.save()


def raw(**fields: Any) -> Callable[[House], Any]:
    """Change the row by a statement, as anybody might who knows nothing of tokens."""
    return lambda house: User.objects.filter(username="bob").update(**fields)


def out_and_in(house: House) -> None:
    raw(is_active=False)(house)
    raw(is_active=True)(house)


ENDS: dict[str, Callable[[House], Any]] = {
    "somebody is deactivated": lambda house: deactivate_user(user=house.user("bob")),
    "deactivated by a statement": raw(is_active=False),
    "deactivated, and back": out_and_in,
    "a new password": lambda house: change_password(user=house.user("bob"), password="another long passphrase"),
    "a new password by a statement": raw(password="!"),
    "signed out everywhere": lambda house: services.end_all(user=house.user("bob")),
    "a row that is saved from memory": written_from_memory,
    "the family was ended": lambda house: TokenFamily.objects.update(revoked_at=timezone.now()),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_it_stood_on_is_gone_and_so_is_it_everywhere(acme: House, http_for: HttpFor, end: str) -> None:
    ready_sum_model(acme)
    pair, others = tokens_of(acme, "bob"), tokens_of(acme, "erin")
    client = http_for(None)
    assert client.post(PREDICT, headers=bearer(pair.access), json={"a": 1, "b": 2}).status_code == 200

    before = acme.user("bob").password
    with acme.inside():
        ENDS[end](acme)

    assert client.get(ME, headers=bearer(pair.access)).status_code == 401
    assert client.get(LANE, headers=bearer(pair.access)).status_code == 401
    assert client.post(PREDICT, headers=bearer(pair.access), json={"a": 1, "b": 2}).status_code == 401
    assert posted(http_for, "verify/", token=pair.access).status_code == 401
    assert posted(http_for, "refresh/", refresh=pair.refresh).status_code == 401
    if end != "the family was ended":
        assert client.get(ME, headers=bearer(others.access)).status_code == 200, "nobody else is concerned"
    with acme.inside():
        User.objects.filter(username="bob").update(password=before)


def test_a_suspended_tenants_tokens_are_refused_and_hold_again_with_it(acme: House, http_for: HttpFor) -> None:
    pair = tokens_of(acme, "bob")
    suspend(acme)
    client = http_for(None)

    assert client.get(ME, headers=bearer(pair.access)).status_code == 403
    assert client.get(LANE, headers=bearer(pair.access)).status_code == 403
    assert posted(http_for, "refresh/", refresh=pair.refresh).status_code == 403
    assert posted(http_for, "", username="bob", password=PASSWORD).status_code == 403
    assert client.get("/.well-known/jwks.json").status_code == 403

    with use_public():
        Tenant.objects.filter(pk=acme.tenant.pk).update(suspended_at=None)
    assert client.get(ME, headers=bearer(pair.access)).status_code == 200


def test_replaced_keys_end_every_access_token_and_no_refresh_token(acme: House, http_for: HttpFor) -> None:
    pair = tokens_of(acme, "bob")
    with acme.inside():
        replace_all(now=timezone.now())
        assert SigningKey.objects.count() == 1
    client = http_for(None)

    assert [client.get(path, headers=bearer(pair.access)).status_code for path in (ME, LANE)] == [401, 401]
    fresh = posted(http_for, "refresh/", refresh=pair.refresh).json()
    assert [client.get(path, headers=bearer(fresh["access"])).status_code for path in (ME, LANE)] == [200, 200]


def test_what_changes_nothing_ends_nothing(acme: House, http_for: HttpFor) -> None:
    pair = tokens_of(acme, "bob")
    with acme.inside():
        bob = acme.user("bob")
        bob.last_login = timezone.now()
        bob.save()
        User.objects.filter(username="bob").update(role="editor")
        User.objects.filter(username="bob").update(role="viewer")

    assert http_for(None).get(ME, headers=bearer(pair.access)).status_code == 200
    assert http_for(None).get(LANE, headers=bearer(pair.access)).status_code == 200


def test_a_hash_that_is_made_anew_at_the_sign_in_does_not_end_the_new_token(acme: House, http_for: HttpFor) -> None:
    with acme.inside():
        bob = acme.user("bob")
        bob.set_password(PASSWORD)
        stale = acme.user("bob")
        bob.save()

        pair = services.sign_in(user=stale, now=timezone.now())

    assert http_for(None).get(ME, headers=bearer(pair.access)).status_code == 200


def test_a_running_process_hears_of_an_end_by_itself(
    acme: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    import time

    from foretell.inference.loaded_models import LoadedModels

    monkeypatch.setattr("foretell.gateway.lane.catalogue_directory", lambda: tmp_path)
    pair = tokens_of(acme, "bob")
    gateway = Gateway(loaded=LoadedModels())
    gateway.begin()
    try:
        assert verified(gateway, acme, pair.access) is not None
        with acme.inside():
            services.end_all(user=acme.user("bob"))

        deadline = time.monotonic() + 20
        while verified(gateway, acme, pair.access) is not None:
            assert time.monotonic() < deadline, "it was not heard of"
            time.sleep(0.02)
    finally:
        gateway.end()


def verified(gateway: Gateway, house: House, token: str) -> Any:
    entry = gateway.catalogue.named(house.tenant.name)
    assert entry is not None
    return gateway.credentials.verify_token(entry, token)


def test_the_lane_keeps_a_token_until_it_expires_and_no_longer(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from foretell.gateway import tokens as lane_tokens
    from foretell.inference.loaded_models import LoadedModels

    pair = tokens_of(acme, "bob")
    gateway = Gateway(loaded=LoadedModels())
    gateway.refresh()
    known = gateway.catalogue.known(acme.tenant.schema_name)
    assert known is not None
    now_s = timezone.now().timestamp()

    found = lane_tokens.principal_of_token(known.tokens, pair.access, now_s=now_s)

    assert found is not None
    principal, until = found
    assert (principal.username, principal.may_predict, principal.key_id) == ("bob", True, None)
    assert now_s < until <= now_s + 300
    assert lane_tokens.principal_of_token(known.tokens, pair.access, now_s=until) is None
    gateway.end()


def test_a_process_that_is_a_moment_behind_takes_a_token_that_is_younger_than_what_it_knows(acme: House) -> None:
    from foretell.inference.loaded_models import LoadedModels

    tokens_of(acme, "bob")
    gateway = Gateway(loaded=LoadedModels())
    gateway.refresh()
    with acme.inside():
        services.end_all(user=acme.user("bob"))
    pair = tokens_of(acme, "bob")

    assert verified(gateway, acme, pair.access) is not None
    gateway.refresh()
    assert verified(gateway, acme, pair.access) is not None
    gateway.end()
