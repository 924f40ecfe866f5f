"""One query says which tenants have something to do, whatever state a schema is in."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from foretell.core.tenancy import as_owner, use_public
from foretell.registry.models import ModelVersion
from foretell.tenants import looking
from foretell.tenants.looking import tenants_with
from foretell.tenants.services import suspend_tenant
from tests.cast import Cast, House
from tests.models import ready_sum_model


def with_versions(**conditions: object) -> list[str]:
    return [tenant.name for tenant in tenants_with(ModelVersion.objects.filter(**conditions))]


@pytest.fixture
def acme_has_a_model(cast: Cast) -> House:
    ready_sum_model(cast.acme)
    return cast.acme


def test_those_with_a_row_are_found_and_no_others(acme_has_a_model: House) -> None:
    now = timezone.now()

    assert with_versions(number=1) == ["acme"]
    assert with_versions(created_at__gte=now + timedelta(hours=1)) == []


def test_those_that_are_suspended_are_left_out(cast: Cast, acme_has_a_model: House) -> None:
    suspend_tenant(tenant=cast.acme.tenant, now=timezone.now())

    assert with_versions(number=1) == []


def test_all_are_asked_in_one_query(acme_has_a_model: House) -> None:
    with use_public(), CaptureQueriesContext(connection) as queries:
        with_versions(number=1)

    assert len([query for query in queries if "registry_modelversion" in query["sql"]]) == 1


def test_a_schema_that_cannot_be_asked_hides_no_other(
    cast: Cast, acme_has_a_model: House, caplog: pytest.LogCaptureFixture
) -> None:
    table = f'"{cast.globex.tenant.schema_name}".registry_modelversion'
    with use_public(), as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO elsewhere")
        try:
            found = with_versions(number=1)
        finally:
            cursor.execute(f'ALTER TABLE "{cast.globex.tenant.schema_name}".elsewhere RENAME TO registry_modelversion')

    assert found == ["acme"]
    assert "globex" in caplog.text


def test_many_are_asked_in_parts(acme_has_a_model: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SCHEMAS_AT_ONCE", 1)

    assert with_versions(number=1) == ["acme"]
