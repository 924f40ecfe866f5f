"""What is changed anywhere is known everywhere: by notice, and where the notice is lost by asking."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from foretell.accounts import limiting
from foretell.accounts.models import APIKey
from foretell.accounts.services import change_role, revoke_key
from foretell.core.tenancy import as_owner, use_public
from foretell.gateway import following
from foretell.gateway.lane import Gateway
from foretell.registry.models import Alias
from foretell.serving.catalogue import Tenant
from foretell.tenants.deleting import delete_tenant
from foretell.tenants.models import Domain
from foretell.tenants.services import create_tenant, suspend_tenant
from tests.cast import House
from tests.gateway.conftest import Begin, Until, entry
from tests.models import ready_sum_model

ELSEWHERE = """
import sys, time
import django
django.setup()
from foretell.gateway.lane import Gateway
gateway = Gateway()
gateway.begin()
assert sys.argv[1] in gateway.catalogue.named("acme").keys
print("known", flush=True)
while sys.argv[1] in gateway.catalogue.named("acme").keys:
    time.sleep(0.01)
print("gone", flush=True)
gateway.end()
"""


def revoke(house: House, name: str) -> None:
    with house.inside():
        revoke_key(key=APIKey.objects.get(key_id=house.people[name].key_id), now=timezone.now())


def set_role(house: House, name: str, role: str) -> None:
    with house.inside():
        change_role(user=house.user(name), role=role)


def delete_alias(house: House) -> None:
    with house.inside():
        Alias.objects.all().delete()


def add_domain(house: House) -> None:
    with use_public():
        Domain.objects.create(tenant=house.tenant, domain="added.example", is_primary=False)


CHANGES: dict[str, tuple[Callable[[House], object], Callable[[Gateway, Tenant, House], object]]] = {
    "a revoked key": (
        lambda house: revoke(house, "bob"),
        lambda _, tenant, house: house.people["bob"].key_id not in tenant.keys,
    ),
    "an alias": (delete_alias, lambda _, tenant, house: not tenant.models["sum"].aliases),
    "a suspension": (
        lambda house: suspend_tenant(tenant=house.tenant, now=timezone.now()),
        lambda _, tenant, house: tenant.is_suspended,
    ),
    "a domain": (add_domain, lambda gateway, tenant, house: gateway.catalogue.at_host("added.example") is tenant),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("hears", [True, False], ids=["by notice", "notices lost"])
def test_a_change_is_known_to_whoever_follows(
    acme: House, begin: Begin, until: Until, monkeypatch: pytest.MonkeyPatch, change: str, hears: bool
) -> None:
    if hears:
        monkeypatch.setattr(following, "POLL_S", 3_600.0)  # the notice alone must do
    ready_sum_model(acme)
    gateway = begin(hears=hears)
    make, is_known = CHANGES[change]
    assert not is_known(gateway, entry(gateway, acme), acme)

    make(acme)

    until(lambda: is_known(gateway, entry(gateway, acme), acme))
    with use_public():
        Domain.objects.filter(domain="added.example").delete()


def test_a_role_is_narrowed_for_keys_and_people_alike(acme: House, begin: Begin, until: Until) -> None:
    with acme.inside():
        APIKey.objects.filter(key_id=acme.people["erin"].key_id).update(scopes=["models:write"])
    gateway = begin()
    assert entry(gateway, acme).keys[acme.people["erin"].key_id].principal.may_predict is False

    with acme.inside():
        APIKey.objects.filter(key_id=acme.people["erin"].key_id).update(scopes=["predict"])

    until(lambda: entry(gateway, acme).keys[acme.people["erin"].key_id].principal.may_predict)
    assert entry(gateway, acme).keys[acme.people["erin"].key_id].principal.may_read is False


def test_a_tenant_comes_and_goes(begin: Begin, until: Until) -> None:
    gateway, gone, now = begin(), list[str](), timezone.now()
    gateway.when_gone(lambda entry: gone.append(entry.name))

    tenant = create_tenant(name="passing", domains=["passing.example"])
    until(lambda: gateway.catalogue.at_host("passing.example"))
    limiting.quotas().seed(str(tenant.pk), now=now, requests=5, rows=5)
    assert gateway.catalogue.at_host("passing.localhost") is gateway.catalogue.named("passing")

    delete_tenant(tenant=tenant)
    until(lambda: gone)
    assert gateway.catalogue.at_host("passing.example") is gateway.catalogue.named("passing") is None
    assert gone == ["passing"]
    assert limiting.quotas().used(str(tenant.pk), now=now) == (0, 0)


def test_another_process_knows_of_a_revoked_key(acme: House) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, acme.people["bob"].key_id], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"known\n"

        revoke(acme, "bob")

        assert process.stdout.readline() == b"gone\n"
    assert process.returncode == 0


def test_a_connection_that_broke_is_made_anew(acme: House, begin: Begin, until: Until) -> None:
    gateway = begin()

    with use_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'foretell catalogue'"
        )
    revoke(acme, "bob")

    until(lambda: acme.people["bob"].key_id not in entry(gateway, acme).keys)
    until(lambda: gateway.trouble() is None)


def test_what_changed_while_nobody_followed_is_known_from_the_first_moment(acme: House, begin: Begin) -> None:
    begin().end()
    revoke(acme, "bob")

    gateway = begin()

    assert acme.people["bob"].key_id not in entry(gateway, acme).keys


def test_a_tenant_that_could_not_be_read_is_tried_again(
    globex: House, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with globex.inside(), as_owner(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET role = 'viewer'")
        cursor.execute("ALTER TABLE registry_alias RENAME TO hidden")
    gateway.refresh()
    with globex.inside(), as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hidden RENAME TO registry_alias")
    before = entry(gateway, globex)

    gateway.refresh()
    assert entry(gateway, globex) is before
    monkeypatch.setattr(following, "time", Later)
    gateway.refresh()

    assert entry(gateway, globex) is not before


class Later:
    @staticmethod
    def monotonic() -> float:
        return float("inf")


def test_a_tenant_whose_schema_is_broken_leaves_the_others_as_they_are(
    acme: House, globex: House, gateway: Gateway
) -> None:
    with globex.inside(), as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE registry_alias RENAME TO hidden")
        cursor.execute("UPDATE accounts_user SET role = 'viewer'")
    try:
        revoke(acme, "bob")
        gateway.refresh()
    finally:
        with globex.inside(), as_owner(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hidden RENAME TO registry_alias")

    assert acme.people["bob"].key_id not in entry(gateway, acme).keys
    assert globex.people["carol"].key_id in entry(gateway, globex).keys
