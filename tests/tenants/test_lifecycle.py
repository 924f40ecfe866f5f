"""What the outside sees of a tenant that is made, suspended, resumed and deleted."""

from django.utils import timezone

from foretell.tenants import deleting, services
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model


def test_a_tenant_is_handed_over_with_a_way_in(only_the_cast: None, http_for: HttpFor) -> None:
    from foretell.accounts.services import create_tenant_with_owner

    new = create_tenant_with_owner(name="initech", username="peter", email="peter@initech.example")
    me = http_for(None).get("/t/initech/api/v1/me/", headers={"X-API-Key": new.api_key}).json()

    assert (me["username"], me["role"], me["tenant"]) == ("peter", "owner", "initech")
    assert new.password not in repr(new)
    assert new.api_key not in repr(new)


def test_a_suspended_tenant_answers_403_and_loses_nothing(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)
    bob = http_for("bob")
    services.suspend_tenant(tenant=acme.tenant, now=timezone.now())

    for path in ("/api/v1/me/", "/t/acme/api/v1/models/sum/predict/", "/api/v1/nowhere/"):
        answer = bob.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "tenant_suspended")
    assert http_for("carol").get("/api/v1/me/").status_code == 200
    services.resume_tenant(tenant=acme.tenant)

    assert bob.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).json()["prediction"] == 3.0


def test_at_the_address_of_a_deleted_tenant_there_is_nothing(only_the_cast: None, http_for: HttpFor) -> None:
    tenant = services.create_tenant(name="initech")
    assert http_for(None, tenant="initech").get("/").status_code == 302

    deleting.delete_tenant(tenant=tenant)

    assert http_for(None, tenant="initech").get("/").status_code == 404
    assert http_for(None).get("/t/initech/").status_code == 404
