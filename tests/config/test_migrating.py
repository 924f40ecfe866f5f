"""Many schemas are migrated at once; one that fails stops no other, and a run that was cut off goes on where it stopped."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from foretell.config import migrating
from foretell.config.migrating import NotAllMigrated, migrate, migrate_tenant
from foretell.core.database_backend.roles import role_state
from foretell.core.tenancy import as_owner, use_public, use_tenant
from foretell.tenants.cloning import migrate_schema
from foretell.tenants.deleting import delete_tenant
from foretell.tenants.models import Tenant
from foretell.tenants.roles import drop_role, missing_roles
from foretell.tenants.schemas import behind, current_schemas, missing_of
from foretell.tenants.services import create_tenant

NAMES = ("late-1", "late-2", "late-3")
LAST = ("monitoring", "0001_initial")


@pytest.fixture
def late(cast: object) -> Iterator[list[Tenant]]:
    """Three tenants as they were before monitoring was a part of Foretell."""
    tenants = [create_tenant(name=name) for name in NAMES]
    for tenant in tenants:
        make_late(tenant)
    current_schemas.forget()
    yield tenants
    for tenant in tenants:
        delete_tenant(tenant=tenant)
    current_schemas.forget()


def make_late(tenant: Tenant) -> None:
    with use_tenant(tenant), as_owner(), connection.cursor() as cursor:
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename LIKE %s"
        cursor.execute(listed, [tenant.schema_name, "monitoring%"])
        for (table,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {table} CASCADE")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'monitoring'")


def break_schema(tenant: Tenant) -> None:
    """Let the migration meet what is in its way."""
    with use_tenant(tenant), as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE monitoring_prediction (in_the_way int)")


def mend(tenant: Tenant) -> None:
    with use_tenant(tenant), as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE monitoring_prediction")


def names(tenants: list[Tenant]) -> list[str]:
    return [tenant.name for tenant in tenants]


def test_all_that_are_behind_are_brought_to_the_code_and_progress_is_told(late: list[Tenant]) -> None:
    told: list[tuple[int, int, str]] = []

    outcome = migrate(on_progress=lambda done, total, tenant: told.append((done, total, tenant.name)))

    assert (outcome.n_done, outcome.failures, behind()) == (3, [], [])
    assert told == [(1, 3, "late-1"), (2, 3, "late-2"), (3, 3, "late-3")]
    assert not migrate().is_changed


def test_a_schema_that_fails_is_reported_and_stops_no_other_and_the_next_run_does_it(late: list[Tenant]) -> None:
    break_schema(late[1])

    outcome = migrate()

    assert (outcome.n_done, [failure.tenant for failure in outcome.failures]) == (2, ["late-2"])
    assert "already exists" in outcome.failures[0].error
    assert names(behind()) == ["late-2"]
    assert "late-2" in NotAllMigrated(outcome.failures).message

    mend(late[1])
    assert migrate().n_done == 1
    assert behind() == []


def test_processes_share_the_work_and_one_that_meets_a_broken_schema_goes_on(late: list[Tenant]) -> None:
    break_schema(late[0])

    outcome = migrate(jobs=2)

    assert (outcome.n_done, [failure.tenant for failure in outcome.failures]) == (2, ["late-1"])
    assert names(behind()) == ["late-1"]


def test_a_process_that_dies_is_reported_and_another_takes_its_place(
    late: list[Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.config import migrating_workers

    started = migrating_workers._started
    processes: list[Any] = []

    def one_dies() -> Any:
        process = started()
        processes.append(process)
        if len(processes) == 1:
            process.kill()
            process.wait()
        return process

    monkeypatch.setattr(migrating_workers, "_started", one_dies)

    outcome = migrate(jobs=2)

    assert outcome.n_done == 2
    assert "ended in the middle" in outcome.failures[0].error
    assert len(processes) >= 2
    assert migrate().n_done == 1


def test_two_runs_at_once_do_each_schema_once(late: list[Tenant], monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def noting(schema_name: str) -> None:
        done.append(schema_name)
        migrate_schema(schema_name)

    monkeypatch.setattr(migrating, "migrate_schema", noting)
    outcomes: list[Any] = []

    def run() -> None:
        try:
            outcomes.append(migrate())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(outcomes) == 2
    assert [outcome.failures for outcome in outcomes] == [[], []]
    assert sorted(done) == sorted(tenant.schema_name for tenant in late)


def test_tables_that_came_are_the_tenants_to_read_and_write(late: list[Tenant]) -> None:
    migrate()

    with use_tenant(late[0]), connection.cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM monitoring_prediction")
        assert cursor.fetchone() == (late[0].schema_name, 0)


def test_a_schema_and_a_role_that_are_missing_are_made(late: list[Tenant]) -> None:
    """As after a restore of the public schema alone, into another server."""
    schema = late[2].schema_name
    with use_public(), as_owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {schema} CASCADE")
        drop_role(schema)

    migrate()

    assert missing_of([schema]) == {schema: 0}
    with use_tenant(late[2]), connection.cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM accounts_user")
        assert cursor.fetchone() == (schema, 0)


def test_a_role_without_rights_gets_them_again(late: list[Tenant]) -> None:
    """As after a restore without privileges, beside the database that it was dumped from."""
    migrate()
    schema = late[1].schema_name
    with use_public(), as_owner(), connection.cursor() as cursor:
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {schema}")
        cursor.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {schema}")
        assert missing_roles() == [schema]
        assert not role_state(connection).is_usable

    migrate()

    with use_tenant(late[1]), connection.cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM accounts_user")
        assert cursor.fetchone() == (schema, 0)


def test_one_that_was_done_meanwhile_is_not_done_again(late: list[Tenant], monkeypatch: pytest.MonkeyPatch) -> None:
    migrate_tenant(late[0].schema_name)
    monkeypatch.setattr(migrating, "migrate_schema", lambda _: pytest.fail("it was done already"))

    migrate_tenant(late[0].schema_name)
