"""What the lane knows of tenants: whole, theirs alone, and no older than a moment."""

from datetime import timedelta

from django.utils import timezone

from foretell.accounts.services import create_key, deactivate_user, revoke_key
from foretell.core.tenancy import use_public
from foretell.gateway.lane import Gateway
from foretell.tenants.models import Domain
from tests.cast import Cast, House
from tests.gateway.conftest import entry
from tests.models import ready_sum_model


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
        create_key(
            user=acme.user("bob"),
            name="old",
            scopes=["predict"],
            expires_at=now - timedelta(days=1),
            now=now - timedelta(days=2),
        )
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


def test_an_entry_has_nothing_of_another_tenant(cast: Cast, gateway: Gateway) -> None:
    ready_sum_model(cast.acme, name="acmes-own")
    ready_sum_model(cast.globex, name="globexs-secret", by="carol")
    gateway.refresh()

    ours = gateway.catalogue.known(cast.acme.tenant.schema_name)
    theirs = gateway.catalogue.known(cast.globex.tenant.schema_name)

    assert ours is not None
    assert theirs is not None
    carol = cast.globex.people["carol"]
    for secret in ("globexs-secret", "carol", carol.key_id, str(cast.globex.tenant.id), cast.globex.tenant.schema_name):
        assert secret.encode() in theirs.packed, "the canary is looked for where it is"
        assert secret.encode() not in ours.packed
        assert secret not in repr(entry(gateway, cast.acme))


def test_limits_quotas_and_what_is_logged_are_the_tenants_and_the_models_own(acme: House, gateway: Gateway) -> None:
    from foretell.registry.models import RegisteredModel
    from foretell.tenants.limits import set_limits
    from foretell.tenants.models import LogPolicy

    ready_sum_model(acme)
    set_limits(tenant=acme.tenant, changes={"key": "7/min", "user": "off", "rows_per_month": 1_000})
    with use_public():
        acme.tenant.log_policy = LogPolicy.BEST_EFFORT
        acme.tenant.save()
    with acme.inside():
        RegisteredModel.objects.update(limit_scope="burst", log_payload="redacted", redacted_inputs=["a"])
    gateway.refresh()

    found = entry(gateway, acme)
    key = found.keys[acme.people["bob"].key_id].principal
    assert str(key.claims[0].policy.rate) == "7/min"
    assert [claim.policy.name for claim in key.claims] == ["key", "tenant"]
    assert (found.requests_per_month, found.rows_per_month, found.log_is_required) == (None, 1_000, False)
    model = found.models["sum"]
    assert (model.limit_scope, model.log_payload, model.redacted_inputs) == ("burst", "redacted", ("a",))
    with use_public():
        acme.tenant.log_policy = LogPolicy.REQUIRED
        acme.tenant.save()
