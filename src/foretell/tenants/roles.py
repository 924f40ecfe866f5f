"""A tenant's role in PostgreSQL: made with its schema, gone with it. `core.database_backend.roles` says what it is for."""

from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from psycopg import sql
from psycopg.errors import DependentObjectsStillExist

log = structlog.get_logger(__name__)

_MAY_CREATE = "SELECT rolsuper OR rolcreaterole, rolsuper FROM pg_roles WHERE rolname = session_user"
_MISSING = """
SELECT schema_name FROM tenants_tenant
LEFT JOIN pg_roles AS role ON role.rolname = schema_name LEFT JOIN pg_namespace AS schema ON schema.nspname = schema_name
WHERE role.oid IS NULL OR (schema.oid IS NOT NULL AND NOT has_schema_privilege(role.oid, schema.oid, 'USAGE'))
"""
_ROWS = "SELECT, INSERT, UPDATE, DELETE"  # of every table. Security: not TRUNCATE, not TRIGGER, and no table is the role's own


def ensure_role(schema_name: str) -> bool:
    """Make the role of a schema where it is missing and this user may, and give it its rights; return whether it has one.

    Call it as the owner, whenever tables came: what a migration makes is the connecting user's.
    """
    may_create, is_superuser = _rights()
    if not _exists(schema_name):
        if not may_create:
            return False
        _execute("CREATE ROLE {role} NOLOGIN NOINHERIT", schema_name)
        if not is_superuser:
            _execute(_join(), schema_name)
    _grant(schema_name)
    return True


def missing_roles() -> list[str]:
    """Return the schemas of tenants that have no role, or one without rights: a backup may bring back a schema, but not who may use it."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING)
        return [name for (name,) in cursor.fetchall()]


def drop_role(schema_name: str) -> None:
    """Let go of the role of a schema that is gone, and its rights with it. One that a copy of this database still uses stays: it can read nothing here."""
    if not _exists(schema_name):
        return
    try:
        with transaction.atomic():
            _execute("DROP ROLE {role}", schema_name)
    except DatabaseError as err:
        if not isinstance(err.__cause__, DependentObjectsStillExist):
            raise
        log.warning("a tenant's role is in use in another database of this server, and stays", role=schema_name)


def _grant(schema_name: str) -> None:
    """Let the role read and write its own schema. In public it needs nothing: what tenants cause there, triggers of ours do."""
    for statement in (
        "GRANT USAGE ON SCHEMA {role} TO {role}",
        f"GRANT {_ROWS} ON ALL TABLES IN SCHEMA {{role}} TO {{role}}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {role} TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {{role}} GRANT {_ROWS} ON TABLES TO {{role}}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {role} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    ):
        _execute(statement, schema_name)


def _join() -> str:
    """Since PostgreSQL 16 who makes a role may not yet take it on, and says so apart."""
    wrapper: Any = connection  # PostgreSQL's
    options = " WITH INHERIT FALSE, SET TRUE" if wrapper.pg_version >= 160_000 else ""
    return f"GRANT {{role}} TO SESSION_USER{options}"


def _rights() -> tuple[bool, bool]:
    with connection.cursor() as cursor:
        cursor.execute(_MAY_CREATE)
        may_create, is_superuser = cursor.fetchone()
    return bool(may_create), bool(is_superuser)


def _exists(schema_name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [schema_name])
        return cursor.fetchone() is not None


def _execute(statement: str, schema_name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(role=sql.Identifier(schema_name)))
