"""Making, suspending, resuming and deleting tenants."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from foretell.tenants import services
from foretell.tenants.models import Domain, Tenant
from tests.cast import Cast, House
from tests.http import HttpFor
from tests.models import ready_sum_model


def schemas() -> set[str]:
    from django.db import connection

    from foretell.core.tenancy import use_public

    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'")
        return {name for (name,) in cursor.fetchall()}


def names() -> set[str]:
    return {tenant.name for tenant in services.list_tenants()}


@pytest.fixture
def only_the_cast(cast: Cast) -> Iterator[None]:
    """Take away what a test made, whether it passed or not."""
    before = names()
    yield
    for tenant in services.list_tenants():
        if tenant.name not in before:
            services.delete_tenant(tenant=tenant)


def test_a_new_tenant_has_a_schema_of_our_naming_and_its_domains(only_the_cast: None) -> None:
    tenant = services.create_tenant(name="initech", domains=["Models.Initech.example", "models.initech.example."])

    assert tenant.schema_name in schemas()
    assert tenant.schema_name.startswith("t_")
    assert "initech" not in tenant.schema_name
    listed = next(one for one in services.list_tenants() if one.name == "initech")
    assert {domain.domain for domain in listed.domains.all()} == {"initech.localhost", "models.initech.example"}


@pytest.mark.parametrize(
    "name", ["", "A", "../x", "a b", "-a", "a-", "a.b", "a/b", "é", "a" * 43, "a\n", "public;", "\uff41"]
)
def test_a_name_that_is_none_is_refused_and_nothing_is_made(cast: Cast, name: str) -> None:
    before = schemas()

    with pytest.raises(services.InvalidTenant):
        services.create_tenant(name=name)
    assert schemas() == before


@pytest.mark.parametrize("domain", ["", "a b", "http://x.example", "x.example/", "a,b", "*"])
def test_a_domain_that_is_none_is_refused(cast: Cast, domain: str) -> None:
    with pytest.raises(services.InvalidTenant):
        services.create_tenant(name="initech", domains=[domain])


@pytest.mark.parametrize(("name", "domains"), [("acme", []), ("initech", ["ACME.localhost"])])
def test_a_name_or_a_domain_that_is_taken_is_refused_and_nothing_is_made(
    cast: Cast, name: str, domains: list[str]
) -> None:
    before = schemas()

    with pytest.raises(services.TenantExists):
        services.create_tenant(name=name, domains=domains)
    assert (schemas(), "initech" in names()) == (before, False)


def test_of_several_who_want_one_name_at_once_one_gets_it(only_the_cast: None) -> None:
    from django.db import connection

    before = schemas()

    def create(_: int) -> str:
        try:
            services.create_tenant(name="initech")
        except services.TenantExists:
            return "taken"
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(create, range(4)))

    assert outcomes == ["made", "taken", "taken", "taken"]
    assert len(schemas() - before) == 1


def test_a_tenant_whose_owner_cannot_be_made_is_not_made_either(cast: Cast) -> None:
    from foretell.accounts.services import InvalidAccount, create_tenant_with_owner

    before = schemas()

    with pytest.raises(InvalidAccount):
        create_tenant_with_owner(name="initech", username="bad name", email="x@initech.example")
    assert (schemas(), "initech" in names()) == (before, False)


def test_a_tenant_is_handed_over_with_a_way_in(only_the_cast: None, http_for: HttpFor) -> None:
    from foretell.accounts.services import create_tenant_with_owner

    new = create_tenant_with_owner(name="initech", username="peter", email="peter@initech.example")
    me = http_for(None).get("/t/initech/api/v1/me/", headers={"X-API-Key": new.api_key}).json()

    assert (me["username"], me["role"], me["tenant"]) == ("peter", "owner", "initech")
    assert new.password not in repr(new)
    assert new.api_key not in repr(new)


def test_a_schema_name_that_is_not_ours_cannot_be_stored(cast: Cast) -> None:
    from django.db import IntegrityError, transaction

    from foretell.core.tenancy import use_public

    before = schemas()
    for schema_name in ("public", "PUBLIC", "../x", "information_schema", "acme"):
        with use_public(), pytest.raises(IntegrityError), transaction.atomic():
            Tenant(name="initech", schema_name=schema_name).save()
    assert schemas() == before


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


def test_a_deleted_tenant_leaves_no_schema_domain_or_file(only_the_cast: None, http_for: HttpFor) -> None:
    from django.conf import settings

    from foretell.core.tenancy import use_public

    tenant = services.create_tenant(name="initech")
    files = settings.ARTIFACT_ROOT / str(tenant.id)
    files.mkdir(parents=True)
    (files / "x").write_bytes(b"x")

    services.delete_tenant(tenant=tenant)

    assert tenant.schema_name not in schemas()
    assert not files.exists()
    with use_public():
        assert not Domain.objects.filter(domain="initech.localhost").exists()
    assert http_for(None).get("/", headers={"Host": "initech.localhost"}).status_code == 404
    with pytest.raises(services.TenantNotFound):
        services.get_tenant("initech")
