"""What the lane knows of tenants: whole, theirs alone, and no older than a moment."""

from datetime import timedelta

from django.utils import timezone

from foretell.accounts.services import create_key, deactivate_user, revoke_key
from foretell.core.tenancy import use_public
from foretell.gateway.lane import Gateway
from foretell.serving.catalogue import Tenant
from foretell.tenants.models import Domain
from tests.cast import Cast, House
from tests.models import ready_sum_model


def entry(gateway: Gateway, house: House) -> Tenant:
    found = gateway.catalogue.named(house.tenant.name)
    assert found is not None
    return found


def test_a_tenant_is_found_by_its_name_its_domains_and_its_place_below_the_base_domain(
    cast: Cast, gateway: Gateway
) -> None:
    with use_public():
        Domain.objects.create(tenant=cast.acme.tenant, domain="models.acme.example", is_primary=False)
        Domain.objects.filter(domain="acme.localhost").delete()
    gateway.refresh()

    named = entry(gateway, cast.acme)

    assert gateway.catalogue.at_host("models.acme.example") is named
    assert gateway.catalogue.at_host("acme.localhost") is named
    assert gateway.catalogue.at_host("acme.example") is None
    assert gateway.catalogue.named("nobody") is None
    with use_public():
        Domain.objects.filter(domain="models.acme.example").delete()
        Domain.objects.create(tenant=cast.acme.tenant, domain="acme.localhost", is_primary=True)
    gateway.refresh()
    assert gateway.catalogue.at_host("models.acme.example") is None


def test_an_entry_has_the_people_and_the_keys_that_are_usable(acme: House, gateway: Gateway) -> None:
    now = timezone.now()
    with acme.inside():
        create_key(user=acme.user("bob"), name="old", scopes=["predict"], expires_at=now - timedelta(days=1))
        key, _ = create_key(user=acme.user("bob"), name="narrow", scopes=["models:read"], models=["sum"])
        revoked, _ = create_key(user=acme.user("bob"), name="gone", scopes=["predict"])
        revoke_key(key=revoked, now=now)
        deactivate_user(user=acme.user("erin"))
    gateway.refresh()

    found = entry(gateway, acme)

    assert {person.username for person in found.people.values()} == {"alice", "adam", "bob"}
    assert set(found.keys) == {acme.people[name].key_id for name in ("alice", "adam", "bob")} | {key.key_id}
    narrow = found.keys[key.key_id].principal
    assert (narrow.may_predict, narrow.may_read, narrow.models) == (False, True, frozenset({"sum"}))


def test_an_entry_has_the_models_in_use_with_their_aliases_and_versions(acme: House, gateway: Gateway) -> None:
    version = ready_sum_model(acme)
    archived = ready_sum_model(acme, name="old")
    with acme.inside():
        archived.model.archived_at = timezone.now()
        archived.model.save()
    gateway.refresh()

    models = entry(gateway, acme).models

    assert set(models) == {"sum"}
    assert dict(models["sum"].aliases) == {"champion": 1}
    found = models["sum"].versions[1]
    assert (found.pk, found.is_ready, found.seal, found.runtime) == (version.pk, True, version.seal, "onnx")
    assert found.size_bytes == version.size_bytes
