"""Which schemas are at this version of the code: read from their own records of migrations, many at once."""

import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from foretell.core.tenancy import PUBLIC_SCHEMA, as_owner, use_public
from foretell.tenants.models import Tenant

AT_ONCE = 200  # schemas of one query
LOOK_AGAIN_S = 1.0  # at a schema that was behind

_RECORDED = "SELECT nspname FROM pg_namespace AS schema JOIN pg_class AS record ON record.relnamespace = schema.oid "
_RECORDED += "WHERE record.relname = 'django_migrations' AND nspname = ANY(%s)"
_MISSING = """
SELECT {name} AS schema_name, (
    SELECT count(*) FROM known WHERE NOT EXISTS (SELECT FROM {record} AS done WHERE (done.app, done.name) = (known.app, known.name))
) AS missing
"""


@cache
def known_migrations(*, is_public: bool) -> tuple[tuple[str, str], ...]:
    """Return the migrations that the code has for the public schema, or for a tenant's. The code does not change while it runs."""
    installed = settings.SHARED_APPS if is_public else settings.TENANT_APPS
    labels = {config.label for config in apps.get_app_configs() if config.name in installed}
    on_disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return tuple(sorted(key for key in on_disk if key[0] in labels))


def missing_of(schema_names: Sequence[str], *, is_public: bool = False) -> dict[str, int]:
    """Return how many migrations each of these schemas lacks; one without a record, or that is not there, lacks them all."""
    known = known_migrations(is_public=is_public)
    missing = dict.fromkeys(schema_names, len(known))
    with use_public(), as_owner():
        for at in range(0, len(schema_names), AT_ONCE):
            missing.update(_missing(schema_names[at : at + AT_ONCE], known))
    return missing


def is_public_behind() -> bool:
    return missing_of([PUBLIC_SCHEMA], is_public=True)[PUBLIC_SCHEMA] > 0


def behind() -> list[Tenant]:
    """Return the tenants whose schemas lack a migration that the code has."""
    with use_public():
        tenants = list(Tenant.objects.order_by("name"))
    missing = missing_of([tenant.schema_name for tenant in tenants])
    return [tenant for tenant in tenants if missing[tenant.schema_name]]


def _missing(schema_names: Sequence[str], known: Sequence[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_RECORDED, [list(schema_names)])
        recorded = [name for (name,) in cursor.fetchall()]
        if not recorded:
            return
        looks = sql.SQL(" UNION ALL ").join(_look(name) for name in recorded)
        head = sql.SQL(
            "WITH known AS MATERIALIZED (SELECT * FROM unnest(%s::text[], %s::text[]) AS listed (app, name))"
        )
        cursor.execute(sql.SQL("{} {}").format(head, looks), [list(column) for column in zip(*known, strict=True)])
        yield from cursor.fetchall()


def _look(schema_name: str) -> sql.Composed:
    record = sql.Identifier(schema_name, "django_migrations")
    return sql.SQL(_MISSING).format(name=sql.Literal(schema_name), record=record)


class CurrentSchemas:
    """Remembers which schemas are at this version: they never go back. One that is behind is looked at again, a second later."""

    def __init__(self) -> None:
        self._current: set[str] = set()
        self._behind_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_current(self, schema_name: str) -> bool:
        if schema_name in self._current:
            return True
        if time.monotonic() < self._behind_until.get(schema_name, 0.0):
            return False
        return schema_name not in self.not_current([schema_name])

    def not_current(self, schema_names: Sequence[str]) -> set[str]:
        """Return those that are behind; asks for those alone that are not known to be current."""
        unknown = [name for name in schema_names if name not in self._current]
        if not unknown:
            return set()
        missing = missing_of(unknown)
        found = {name for name, count in missing.items() if count}
        with self._lock:
            self._current.update(name for name in unknown if name not in found)
            self._behind_until = dict.fromkeys(found, time.monotonic() + LOOK_AGAIN_S)
        return found

    def forget(self) -> None:
        with self._lock:
            self._current.clear()
            self._behind_until.clear()


current_schemas = CurrentSchemas()
