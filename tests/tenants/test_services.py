"""Making, suspending and deleting tenants: all of it or nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone

from foretell.core.database_backend.base import TenantGone
from foretell.core.tenancy import NoTenant, use_public, use_tenant
from foretell.errors import ForetellError
from foretell.problems import status_of
from foretell.tenants import services
from foretell.tenants.deleting import delete_tenant
from foretell.tenants.services import (
    InvalidTenant,
    TenantExists,
    TenantNotFound,
    create_tenant,
    get_tenant,
)
from tests.cast import Cast


@pytest.fixture
def installation(cast: Cast) -> Iterator[None]:
    """Whatever tenants a test makes are gone afterwards."""
    from foretell.tenants.models import Tenant

    yield
    with use_public():
        for tenant in Tenant.objects.exclude(name__in=["acme", "globex"]):
            delete_tenant(tenant=tenant)


def schemas() -> set[str]:
    from django.db import connection

    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%'")
        return {name for (name,) in cursor.fetchall()}


def roles() -> set[str]:
    from django.db import connection

    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 't\\_%'")
        return {name for (name,) in cursor.fetchall()}


def rows() -> tuple[int, int]:
    from foretell.tenants.models import Domain, Tenant

    with use_public():
        return Tenant.objects.count(), Domain.objects.count()


def test_a_new_tenant_has_a_schema_whose_name_is_not_made_of_its_own(installation: None) -> None:
    tenant = create_tenant(name="wine-labs", domains=["Wine.Example:8000"])

    assert tenant.schema_name in schemas()
    assert "wine" not in tenant.schema_name
    with use_public():
        assert list(tenant.domains.values_list("domain", "is_primary").order_by("domain")) == [
            ("wine-labs.localhost", True),
            ("wine.example", False),
        ]
    with use_tenant(tenant):
        from foretell.accounts.models import User

        assert User.objects.count() == 0


@pytest.mark.parametrize(
    "name",
    ["", "../x", "Acme", "a_b", "-a", "a-", "a.b", "a b", "a\n", "a\0", "é", "a" * 43, "information_schema", 'a"; DROP SCHEMA public; --'],
)  # fmt: skip
def test_a_name_that_is_no_name_is_refused_with_the_form_it_should_have(installation: None, name: str) -> None:
    before = rows(), schemas()

    with pytest.raises(InvalidTenant):
        create_tenant(name=name)

    assert (rows(), schemas()) == before


@pytest.mark.parametrize("domain", ["", "a,b", "http://a.example", "a b.example", "../x", "a.example/x"])
def test_a_domain_that_is_no_host_is_refused(installation: None, domain: str) -> None:
    with pytest.raises(InvalidTenant, match="host name"):
        create_tenant(name="wine", domains=[domain])


@pytest.mark.parametrize("schema_name", ["public", "../x", "t_", "T_A", "information_schema", "pg_x"])
def test_the_database_itself_refuses_a_schema_that_is_not_ours(cast: Cast, schema_name: str) -> None:
    from django.db import IntegrityError, transaction

    from foretell.tenants.models import Tenant

    with use_public(), pytest.raises(IntegrityError, match="tenant_schema_name_is_ours"), transaction.atomic():
        Tenant.objects.bulk_create([Tenant(name="wine", schema_name=schema_name)])


def test_a_name_or_a_domain_that_is_taken_is_refused_and_named(installation: None) -> None:
    create_tenant(name="wine", domains=["wine.example"])

    with pytest.raises(TenantExists, match="'wine' already"):
        create_tenant(name="wine")
    with pytest.raises(TenantExists, match=r"'wine\.example' leads to another"):
        create_tenant(name="beer", domains=["WINE.example."])
    with pytest.raises(TenantExists, match=r"'wine\.localhost'"):
        create_tenant(name="beer", domains=["wine.localhost"])


def test_of_eight_that_make_one_name_at_once_one_has_it_and_the_others_are_told(installation: None) -> None:
    from django.db import connection

    before, schemas_before, barrier = rows(), schemas(), Barrier(8)

    def make(_: int) -> Any:
        barrier.wait()
        try:
            return create_tenant(name="wine")
        except ForetellError as err:
            return err
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(make, range(8)))

    refusals = [outcome for outcome in outcomes if isinstance(outcome, ForetellError)]
    assert [type(refusal) for refusal in refusals] == [TenantExists] * 7
    assert all("Choose another" in refusal.message for refusal in refusals)
    assert rows() == (before[0] + 1, before[1] + 1)
    assert len(schemas()) == len(schemas_before) + 1


def test_what_fails_half_way_leaves_nothing(installation: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from foretell.tenants.roles import ensure_role

    before = rows(), schemas(), roles()
    made: list[str] = []

    def failing(schema_name: str) -> bool:
        ensure_role(schema_name)
        made.append(schema_name)
        raise OSError("the disk is full")

    monkeypatch.setattr("foretell.tenants.services.ensure_role", failing)

    with pytest.raises(OSError, match="the disk is full"):
        create_tenant(name="wine")

    assert len(made) == 1
    assert (rows(), schemas(), roles()) == before
    monkeypatch.undo()
    assert create_tenant(name="wine").schema_name in schemas()  # the name is free


def test_an_owner_who_cannot_be_made_leaves_no_tenant(installation: None) -> None:
    from foretell.accounts.services import InvalidAccount, create_tenant_with_owner

    before = rows(), schemas()

    with pytest.raises(InvalidAccount):
        create_tenant_with_owner(name="wine", username="ada", email="ada@wine.example", password="short")

    assert (rows(), schemas()) == before


def test_deleting_leaves_no_schema_no_rows_and_no_files_and_touches_nobody_else(installation: None, cast: Cast) -> None:
    from django.conf import settings

    before = rows(), schemas()
    tenant = create_tenant(name="wine")
    files = settings.ARTIFACT_ROOT / str(tenant.id)
    others = settings.ARTIFACT_ROOT / str(cast.acme.tenant.id)
    for folder in (files, others):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "probe").touch()

    delete_tenant(tenant=tenant)

    assert (rows(), schemas()) == before
    assert not files.exists()
    assert (others / "probe").exists()
    (others / "probe").unlink()
    with pytest.raises(TenantNotFound, match="foretell tenant list"):
        get_tenant("wine")


def test_a_deletion_that_fails_in_the_database_keeps_the_files(
    installation: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.conf import settings

    tenant = create_tenant(name="wine")
    files = settings.ARTIFACT_ROOT / str(tenant.id)
    files.mkdir(parents=True)

    def failing(schema_name: str) -> None:
        raise OSError("the connection is gone")

    monkeypatch.setattr("foretell.tenants.deleting.drop_role", failing)

    with pytest.raises(OSError, match="the connection is gone"):
        delete_tenant(tenant=tenant)

    assert files.is_dir()
    assert tenant.schema_name in schemas()


def test_a_tenant_that_was_deleted_is_not_found_at_its_old_address(installation: None) -> None:
    from foretell.tenants.resolving import tenant_named, tenant_of_host

    tenant = create_tenant(name="wine")
    assert tenant_named("wine") == tenant_of_host("wine.localhost") == tenant

    delete_tenant(tenant=tenant)

    assert tenant_named("wine") is None
    assert tenant_of_host("wine.localhost") is None


def test_whoever_is_being_served_while_the_tenant_is_deleted_finds_nothing(installation: None) -> None:
    from foretell.accounts.models import User

    tenant = create_tenant(name="wine")
    with use_tenant(tenant):
        assert not User.objects.exists()
        delete_tenant(tenant=tenant)

        with pytest.raises(TenantGone) as caught:
            User.objects.exists()

    assert status_of(caught.value) == 404


def test_a_table_that_a_tenant_lacks_is_no_deleted_tenant(cast: Cast) -> None:
    from django.db import ProgrammingError, connection

    with cast.acme.inside(), connection.cursor() as cursor, pytest.raises(ProgrammingError) as caught:
        cursor.execute("SELECT 1 FROM not_migrated_yet")

    assert not isinstance(caught.value, ForetellError)


def test_suspending_keeps_all_there_is_and_resuming_brings_it_back(cast: Cast) -> None:
    services.suspend_tenant(tenant=cast.acme.tenant, now=timezone.now())
    assert get_tenant("acme").is_suspended
    assert cast.acme.user("alice").username == "alice"

    services.resume_tenant(tenant=cast.acme.tenant)
    assert not get_tenant("acme").is_suspended


def test_what_is_signed_in_one_tenant_says_nothing_in_another_nor_for_another_purpose(cast: Cast) -> None:
    from django.core.signing import BadSignature

    from foretell.tenants.signing import tenant_signer

    with cast.acme.inside():
        signed = tenant_signer("invite").sign("alice")
        assert tenant_signer("invite").unsign(signed) == "alice"
        with pytest.raises(BadSignature):
            tenant_signer("reset").unsign(signed)
    with cast.globex.inside(), pytest.raises(BadSignature):
        tenant_signer("invite").unsign(signed)
    with pytest.raises(NoTenant):
        tenant_signer("invite")
