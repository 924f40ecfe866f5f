"""A new tenant's schema as a copy of one that was migrated once: tens of milliseconds of DDL in place of every migration anew.

The template is a schema like a tenant's, and nobody's. What is copied is read from the catalogues of PostgreSQL itself, with each
name as it is, since later migrations go by the names.
"""

from django.core.management import call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import connection, transaction
from psycopg import sql

from foretell.core.database_backend.roles import TEMPLATE_SCHEMA
from foretell.core.tenancy import PUBLIC, as_owner, use_public, use_tenant
from foretell.tenants.schemas import missing_of

LOCK = "foretell template"

# Optimization: what lies in a schema is found by what depends on it, over an index. The catalogues themselves have none for the
# schema, and with a thousand tenants hundreds of thousands of rows.
_TABLES = """
members AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend
    WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace(%(template)s)
), tables AS MATERIALIZED (
    SELECT oid, relname, reloptions FROM pg_class
    WHERE oid = ANY(ARRAY(SELECT objid FROM members WHERE classid = 'pg_class'::regclass)) AND relkind = 'r'
), ids AS MATERIALIZED (SELECT array_agg(oid) AS every FROM tables)
"""
# Security: `LIKE` is written with the template's name; all else is unqualified, and falls where the search path says.
_PARTS = f"""
WITH {_TABLES}
SELECT 1 AS step, relname AS name, format(
    'CREATE TABLE %%I (LIKE %%I.%%I INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)', relname, %(template)s, relname
) AS statement FROM tables
UNION ALL SELECT 1, relname || ' ', format('ALTER TABLE %%I SET (%%s)', relname, array_to_string(reloptions, ', '))
    FROM tables WHERE reloptions IS NOT NULL
UNION ALL SELECT CASE contype WHEN 'f' THEN 5 ELSE 2 END, conname, format(
    'ALTER TABLE %%I ADD CONSTRAINT %%I %%s', (SELECT relname FROM tables WHERE oid = conrelid), conname, pg_get_constraintdef(oid)
) FROM pg_constraint WHERE conrelid = ANY((SELECT every FROM ids)::oid[]) AND contype IN ('p', 'u', 'x', 'f')
UNION ALL SELECT 3, indexrelid::regclass::text, pg_get_indexdef(indexrelid, 0, true)
    FROM pg_index WHERE indrelid = ANY((SELECT every FROM ids)::oid[]) AND NOT EXISTS (
        SELECT FROM pg_constraint WHERE conrelid = indrelid AND conindid = indexrelid AND contype IN ('p', 'u', 'x')
    )
UNION ALL SELECT 6, tgname, pg_get_triggerdef(oid, true)
    FROM pg_trigger WHERE tgrelid = ANY((SELECT every FROM ids)::oid[]) AND NOT tgisinternal
ORDER BY step, name
"""  # noqa: S608  of constants
_UNCOPIED = f"""
WITH {_TABLES}
SELECT (SELECT count(*) FROM members WHERE classid <> 'pg_class'::regclass)
    + (SELECT count(*) FROM members JOIN pg_class ON oid = objid WHERE classid = 'pg_class'::regclass AND relkind NOT IN ('r', 'i', 'S', 't'))
    + (SELECT count(*) FROM pg_attrdef WHERE adrelid = ANY((SELECT every FROM ids)::oid[]) AND pg_get_expr(adbin, adrelid) LIKE '%%nextval(%%')
"""  # noqa: S608  of constants
_COLUMNS = f"""
WITH {_TABLES}
SELECT relname, array_agg(attname::text ORDER BY attnum), array_agg(attname::text) FILTER (WHERE attidentity <> '')
FROM tables JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
GROUP BY relname ORDER BY relname
"""  # noqa: S608  of constants


class _Named:
    """A schema where a tenant is expected."""

    def __init__(self, schema_name: str) -> None:
        self.schema_name = schema_name

    def get_tenant_type(self) -> None:
        """Answer django-tenants; we have one type only."""


def create_schema(schema_name: str) -> None:
    """Make a tenant's schema at this version, in the transaction at hand; the tables are the connecting user's own."""
    ensure_template()
    with as_owner():
        with use_public(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext(%s))", [LOCK])
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema_name)))
        statements = _statements()
        if statements is None:
            migrate_schema(schema_name)
            return
        with use_tenant(_Named(schema_name)), connection.cursor() as cursor:
            cursor.execute(";\n".join(statements))


def ensure_template() -> None:
    """Bring the template to this version, where it is not there or is behind."""
    if not missing_of([TEMPLATE_SCHEMA])[TEMPLATE_SCHEMA]:
        return
    with as_owner(), use_public(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK]
        )  # Race condition: one makes it, the others wait
        if missing_of([TEMPLATE_SCHEMA])[TEMPLATE_SCHEMA]:
            cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(TEMPLATE_SCHEMA)))
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(TEMPLATE_SCHEMA)))
            migrate_schema(TEMPLATE_SCHEMA)


def migrate_schema(schema_name: str) -> None:
    """Apply to a schema what it lacks."""
    tenant = PUBLIC if schema_name == PUBLIC.schema_name else _Named(schema_name)
    with as_owner(), use_tenant(tenant):
        _begin_record()
        call_command(Migrate(), interactive=False, verbosity=0, skip_checks=True)


def _begin_record() -> None:
    """Make the schema's own record of migrations: else public's, which is on the path, would stand in for it."""
    from django.db.migrations.recorder import MigrationRecorder

    wrapper = connection
    wrapper.include_public_schema = False  # type: ignore[attr-defined]  # our own backend's
    try:
        MigrationRecorder(wrapper).ensure_schema()
    finally:
        wrapper.include_public_schema = True  # type: ignore[attr-defined]


def _statements() -> list[str] | None:
    """Return what makes a copy of the template; None where it has something that this does not copy."""
    template = {"template": TEMPLATE_SCHEMA}
    wrapper = connection
    wrapper.include_public_schema = False  # type: ignore[attr-defined]  # so that what is public's is named so
    try:
        with use_tenant(_Named(TEMPLATE_SCHEMA)), connection.cursor() as cursor:
            cursor.execute(_UNCOPIED, template)
            if cursor.fetchone() != (0,):
                return None
            cursor.execute(_PARTS, template)
            parts = [(step, statement) for step, _, statement in cursor.fetchall()]
            cursor.execute(_COLUMNS, template)
            rows = _rows(cursor.fetchall())
    finally:
        wrapper.include_public_schema = True  # type: ignore[attr-defined]
    before = [statement for step, statement in parts if step <= 3]
    return [*before, *rows, *(statement for step, statement in parts if step > 3)]


def _rows(tables: list[tuple[str, list[str], list[str] | None]]) -> list[str]:
    """Return what copies the rows that migrations made, such as those of the record itself."""
    with connection.cursor() as cursor:
        looks = (
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), sql.Identifier(table))
            for table, *_ in tables
        )
        cursor.execute(sql.SQL(" UNION ALL ").join(looks))
        filled = {table for (table,) in cursor.fetchall()}
    return [
        statement
        for table, columns, identities in tables
        if table in filled
        for statement in _copy(table, columns, identities or [])
    ]


def _copy(table: str, columns: list[str], identities: list[str]) -> list[str]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    insert = sql.SQL("INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {source}").format(
        table=sql.Identifier(table), names=names, source=sql.Identifier(TEMPLATE_SCHEMA, table)
    )
    counters = (
        sql.SQL("SELECT setval(pg_get_serial_sequence({table}, {name}), max({column})) FROM {relation}").format(
            table=sql.Literal(table),
            name=sql.Literal(name),
            column=sql.Identifier(name),
            relation=sql.Identifier(table),
        )
        for name in identities
    )
    return [statement.as_string() for statement in (insert, *counters)]
