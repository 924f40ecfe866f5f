"""A schema that was copied is the one that the migrations would have made, name for name."""

import re
from typing import Any

import pytest
from django.db import connection, transaction

from foretell.core.database_backend.roles import TEMPLATE_SCHEMA
from foretell.core.tenancy import as_owner, use_public
from foretell.tenants import cloning
from foretell.tenants.cloning import create_schema, ensure_template, migrate_schema
from foretell.tenants.schemas import missing_of

COPIED, MIGRATED = "t_copied", "t_migrated"
SHAPES = {
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity, identity_generation, character_maximum_length "
    "FROM information_schema.columns WHERE table_schema = %s",
    "constraints": "SELECT conname, contype, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = %s::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid "
    "WHERE relnamespace = %s::regnamespace AND NOT tgisinternal",
    "sequences": "SELECT sequencename, start_value, increment_by FROM pg_sequences WHERE schemaname = %s",
}  # fmt: skip


@pytest.fixture
def two_schemas(database: None) -> Any:
    with use_public(), as_owner(), transaction.atomic(), connection.cursor() as cursor:
        create_schema(COPIED)
        cursor.execute(f"CREATE SCHEMA {MIGRATED}")
        migrate_schema(MIGRATED)
        yield cursor
        transaction.set_rollback(True)


def shape(cursor: Any, kind: str, schema_name: str) -> set[str]:
    cursor.execute(SHAPES[kind], [schema_name])
    return {normalised(str(row).replace(schema_name, "SCHEMA")) for row in cursor.fetchall()}


def normalised(definition: str) -> str:
    """Leave out what PostgreSQL writes in another way when it writes an expression a second time: parentheses and casts."""
    return re.sub(r"[()\s]|::(text|character ?varying)(\[\])?", "", definition)


@pytest.mark.parametrize(("one", "other"), [("a = b", "a = c"), ("x WHERE (NOT y)", "x WHERE (y)")])
def test_control_what_differs_is_not_taken_for_the_same(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_a_copy_has_what_the_migrations_make(two_schemas: Any, kind: str) -> None:
    copied, migrated = shape(two_schemas, kind, COPIED), shape(two_schemas, kind, MIGRATED)

    assert copied == migrated
    assert len(copied) > 5


def test_a_copy_has_the_rows_that_migrations_make_and_counts_on_behind_them(two_schemas: Any) -> None:
    for table in ("django_content_type", "auth_permission"):
        two_schemas.execute(f"SELECT count(*), max(id) FROM {COPIED}.{table}")  # noqa: S608  names of ours
        count, last = two_schemas.fetchone()
        two_schemas.execute(f"SELECT count(*) FROM {MIGRATED}.{table}")  # noqa: S608  names of ours
        assert two_schemas.fetchone() == (count,)
        two_schemas.execute(f"SELECT nextval(pg_get_serial_sequence('{COPIED}.{table}', 'id'))")
        assert two_schemas.fetchone()[0] > last
    assert missing_of([COPIED]) == {COPIED: 0}


def test_what_cannot_be_copied_is_migrated(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloning, "_statements", lambda: None)
    with use_public(), as_owner(), transaction.atomic():
        create_schema(COPIED)
        assert missing_of([COPIED]) == {COPIED: 0}
        transaction.set_rollback(True)


def test_a_template_that_is_behind_is_made_anew(database: None) -> None:
    with use_public(), as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TEMPLATE_SCHEMA}.django_migrations WHERE app = 'monitoring'")  # noqa: S608
        assert missing_of([TEMPLATE_SCHEMA])[TEMPLATE_SCHEMA] > 0
        ensure_template()
        assert missing_of([TEMPLATE_SCHEMA]) == {TEMPLATE_SCHEMA: 0}
        transaction.set_rollback(True)
