"""A tenant whose schema is behind the code answers 503 and is named; all others are served."""

from collections.abc import Iterator

import pytest
from django.db import connection

from foretell.core.tenancy import as_owner, use_public
from foretell.tenants.schemas import behind, current_schemas, missing_of
from tests.cast import Cast, House
from tests.http import HttpFor

FORGOTTEN = "DELETE FROM django_migrations WHERE (app, name) IN (SELECT app, name FROM django_migrations WHERE app = 'monitoring') RETURNING app, name"


@pytest.fixture
def late_globex(globex: House) -> Iterator[House]:
    """Globex, as it is before a new version's migrations were applied to it."""
    with globex.inside(), connection.cursor() as cursor:
        cursor.execute(FORGOTTEN)
        rows = cursor.fetchall()
    current_schemas.forget()
    yield globex
    with globex.inside(), connection.cursor() as cursor:
        for app, name in rows:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())", [app, name])
    current_schemas.forget()


def test_only_what_is_behind_is_told(cast: Cast, late_globex: House) -> None:
    schema = late_globex.tenant.schema_name

    assert [tenant.name for tenant in behind()] == ["globex"]
    missing = missing_of([cast.acme.tenant.schema_name, schema, "t_never"])
    assert missing[cast.acme.tenant.schema_name] == 0
    assert missing["t_never"] > missing[schema] > 0


def test_a_tenant_that_is_behind_answers_503_and_the_others_are_served(http_for: HttpFor, late_globex: House) -> None:
    carol, alice = http_for("carol"), http_for("alice")

    late = carol.get("/api/v1/models/")

    assert (late.status_code, late.json()["code"]) == (503, "tenant_not_migrated")
    assert int(late.headers["Retry-After"]) > 0
    assert carol.get("/", headers={"Accept": "text/html"}).status_code == 503
    assert alice.get("/api/v1/models/").status_code == 200


def test_control_a_tenant_that_is_not_behind_is_served_at_the_same_address(http_for: HttpFor, globex: House) -> None:
    assert http_for("carol").get("/api/v1/models/").status_code == 200


def test_readiness_names_who_is_behind_and_goes_on(late_globex: House) -> None:
    from foretell.config import readiness

    assert readiness.tenants() == "globex: their schemas are behind the code; run `foretell migrate`"
    assert "tenants" in readiness.ADVISORY
    assert readiness.migrations() is None


def test_readiness_is_silent_where_all_are_current(cast: Cast) -> None:
    from foretell.config import readiness

    current_schemas.forget()
    assert readiness.tenants() is None


def test_who_is_known_to_be_current_is_not_asked_for_again(cast: Cast) -> None:
    from django.test.utils import CaptureQueriesContext

    schema = cast.acme.tenant.schema_name
    current_schemas.forget()
    assert current_schemas.is_current(schema)

    with use_public(), CaptureQueriesContext(connection) as queries:
        assert all(current_schemas.is_current(schema) for _ in range(10))

    assert len(queries) == 0


def test_many_schemas_are_looked_at_in_a_few_queries(cast: Cast) -> None:
    from django.test.utils import CaptureQueriesContext

    names = [cast.acme.tenant.schema_name, *(f"t_{number}" for number in range(150))]
    missing_of(names[:1])

    with use_public(), as_owner(), CaptureQueriesContext(connection) as queries:
        missing_of(names)

    assert len([query for query in queries if "SELECT" in query["sql"]]) == 2
