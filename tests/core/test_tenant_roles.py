"""The server itself keeps tenants apart: a query that names another tenant's table is refused, whatever the search path says.

The control is the same query with roles off: it answers.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.test import override_settings

from foretell.core.database_backend import roles
from foretell.core.database_backend.base import TenantRoleMissing
from foretell.core.database_backend.roles import Place, RoleState, role_state, statement_for
from foretell.core.tenancy import as_owner, use_public, use_tenant
from tests.cast import Cast, House


def told(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def people_of(house: House) -> str:
    return f"SELECT username FROM {house.tenant.schema_name}.accounts_user"  # noqa: S608  a name of ours


@pytest.fixture
def again() -> Iterator[None]:
    """Whether roles are used is looked up anew, in the test and behind it."""
    roles.look_again()
    yield
    roles.look_again()


def test_another_tenants_table_is_refused_by_the_server(acme: House, globex: House) -> None:
    with acme.inside(), pytest.raises(ProgrammingError, match="permission denied for schema"):
        told(people_of(globex))


def test_control_without_roles_the_same_query_answers(acme: House, globex: House) -> None:
    with override_settings(TENANT_ROLES="off"), acme.inside():
        assert [name for (name,) in told(people_of(globex))] == ["carol"]


@pytest.mark.parametrize(
    "table", ["tenants_tenant", "tenants_plan", "procrastinate_jobs", "installation_audit_entry", "tenants_revision"]
)
def test_what_is_public_is_out_of_a_tenants_reach(acme: House, table: str) -> None:
    with acme.inside(), pytest.raises(ProgrammingError, match="permission denied"):
        told(f"SELECT * FROM public.{table}")  # noqa: S608  a name of ours
    with use_public():
        told(f"SELECT * FROM public.{table}")  # noqa: S608  a name of ours


@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE registry_alias", "ALTER TABLE registry_alias DISABLE TRIGGER ALL", "DROP TABLE registry_alias", "CREATE TABLE mine (id int)",
     "CREATE TABLE public.mine (id int)", "SELECT public.foretell_tenant_changed('t_other')"],
)  # fmt: skip
def test_a_tenant_changes_rows_of_its_own_and_nothing_else(acme: House, statement: str) -> None:
    with acme.inside(), pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        told(statement)


def test_its_owner_may_change_a_tenants_tables(acme: House) -> None:
    with acme.inside(), as_owner(), transaction.atomic():
        told("TRUNCATE registry_alias CASCADE")
        transaction.set_rollback(True)


def test_path_and_role_are_set_in_one_round_trip(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(str(query))
        return execute(self, query, *args, **kwargs)

    with acme.inside():
        told("SELECT 1")
        monkeypatch.setattr(psycopg.Cursor, "execute", noting)
        told("SELECT 1")

    assert len(sent) == 2
    assert acme.tenant.schema_name in sent[0]
    assert "SET ROLE" in sent[0]


def test_a_role_ends_with_the_tenant_it_was_for(acme: House, globex: House) -> None:
    for place, expected in ((acme.tenant, acme), (globex.tenant, globex)):
        with use_tenant(place):
            assert told("SELECT current_user") == [(expected.tenant.schema_name,)]
    with use_public():
        assert told("SELECT current_user = session_user") == [(True,)]


def test_a_rolled_back_savepoint_leaves_the_right_role(acme: House, globex: House) -> None:
    with acme.inside(), transaction.atomic():
        with globex.inside(), transaction.atomic():
            told("SELECT 1")
            transaction.set_rollback(True)
        assert told("SELECT current_user") == [(acme.tenant.schema_name,)]


def test_a_tenant_whose_role_is_missing_is_not_read_without_it(acme: House) -> None:
    schema_name = acme.tenant.schema_name
    with use_public():
        told(f"ALTER ROLE {schema_name} RENAME TO t_elsewhere")
    try:
        with acme.inside(), pytest.raises(TenantRoleMissing, match="foretell migrate"):
            told("SELECT 1")
        with acme.inside(), pytest.raises(OperationalError), transaction.atomic():
            told("SELECT 1")
    finally:
        with use_public():
            told(f"ALTER ROLE t_elsewhere RENAME TO {schema_name}")


def test_where_one_tenant_has_no_role_a_process_uses_none_and_goes_on(acme: House, globex: House, again: None) -> None:
    schema_name = globex.tenant.schema_name
    with use_public():
        told(f"ALTER ROLE {schema_name} RENAME TO t_elsewhere")
    roles.look_again()
    try:
        for house in (acme, globex):
            with house.inside():
                assert told("SELECT current_user = session_user") == [(True,)]
    finally:
        with use_public():
            told(f"ALTER ROLE t_elsewhere RENAME TO {schema_name}")


@pytest.mark.parametrize(
    ("state", "is_usable"),
    [
        (RoleState(may_create=True, schemas=0, usable=0), True),
        (RoleState(may_create=True, schemas=2, usable=2), True),
        (RoleState(may_create=False, schemas=2, usable=2), True),  # somebody else makes them
        (RoleState(may_create=False, schemas=0, usable=0), False),
        (RoleState(may_create=True, schemas=2, usable=1), False),
        (RoleState(may_create=False, schemas=2, usable=0), False),
    ],
)
def test_it_is_all_tenants_or_none(state: RoleState, is_usable: bool) -> None:
    assert state.is_usable is is_usable


def test_a_user_who_may_make_no_roles_is_seen_to_have_none(cast: Cast) -> None:
    from foretell.core.database_backend.base import DatabaseWrapper

    with use_public():
        told("CREATE ROLE ft_plain LOGIN")
    options = {key: value for key, value in connection.settings_dict["OPTIONS"].items() if key != "pool"}
    plain = DatabaseWrapper({**connection.settings_dict, "USER": "ft_plain", "OPTIONS": options})
    try:
        state = role_state(plain)
    finally:
        with use_public():
            told("DROP ROLE ft_plain")

    assert (state.may_create, state.usable, state.is_usable) == (False, 0, False)
    assert state.schemas >= 2


def test_the_doctor_says_whether_roles_are_used_and_the_way_out() -> None:
    from foretell.cli.server.doctor import _roles

    assert _roles(RoleState(may_create=True, schemas=2, usable=2)).state == "ok"
    without = _roles(RoleState(may_create=False, schemas=2, usable=0))
    assert (without.state, "CREATEROLE" in without.detail) == ("warn", True)
    behind = _roles(RoleState(may_create=True, schemas=2, usable=1))
    assert (behind.state, "foretell migrate" in behind.detail) == ("warn", True)
    with override_settings(TENANT_ROLES="off"):
        assert _roles(RoleState(may_create=True, schemas=2, usable=2)).state == "warn"


def test_a_place_is_put_into_words_that_nothing_can_break_out_of() -> None:
    statement = statement_for(Place(('t_a"; DROP', "public"), 't_a"; DROP'), with_roles=True)

    assert statement == 'SET search_path = "t_a""; DROP", "public"; SET ROLE "t_a""; DROP"'
    assert statement_for(Place(("public",), None), with_roles=True).endswith("SET ROLE NONE")
    assert "ROLE" not in statement_for(Place(("public",), None), with_roles=False)
