"""A tenant's role is made and dropped by whoever may: a superuser, or a user with CREATEROLE and nothing else."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from foretell.core.tenancy import as_owner, use_public
from foretell.tenants.roles import drop_role, ensure_role

SCHEMA = "t_made"


def told(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


@pytest.fixture(params=["CREATEROLE", "NOCREATEROLE"])
def somebody(database: None, request: pytest.FixtureRequest) -> Iterator[str]:
    """Connected as a user of the database that is no superuser."""
    with use_public(), as_owner(), transaction.atomic():
        told(f"CREATE ROLE ft_somebody {request.param}")
        told("GRANT CREATE ON DATABASE foretell TO ft_somebody")
        told("SET LOCAL SESSION AUTHORIZATION ft_somebody")
        told(f"CREATE SCHEMA {SCHEMA}")
        told(f"CREATE TABLE {SCHEMA}.things (id int)")
        yield request.param
        told("SET LOCAL SESSION AUTHORIZATION DEFAULT")
        transaction.set_rollback(True)


def test_a_user_who_may_make_roles_needs_to_be_nothing_more(somebody: str) -> None:
    may = somebody == "CREATEROLE"

    assert ensure_role(SCHEMA) is may
    assert ensure_role(SCHEMA) is may  # again is the same
    if not may:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {SCHEMA}; SELECT count(*) FROM {SCHEMA}.things")  # noqa: S608  a name of ours
    told(f"CREATE TABLE {SCHEMA}.more (id int)")
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {SCHEMA}; SELECT count(*) FROM {SCHEMA}.more")  # noqa: S608  what comes later too


def test_it_goes_with_its_schema(somebody: str) -> None:
    ensure_role(SCHEMA)
    told(f"DROP SCHEMA {SCHEMA} CASCADE")

    drop_role(SCHEMA)
    drop_role(SCHEMA)

    assert told(f"SELECT count(*) FROM pg_roles WHERE rolname = '{SCHEMA}'") == (0,)  # noqa: S608


def test_one_that_is_in_use_elsewhere_stays(somebody: str) -> None:
    if somebody == "NOCREATEROLE":
        return
    ensure_role(SCHEMA)

    drop_role(SCHEMA)  # its schema is still there

    assert told(f"SELECT count(*) FROM pg_roles WHERE rolname = '{SCHEMA}'") == (1,)  # noqa: S608
