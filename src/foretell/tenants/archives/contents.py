"""What is in an archive, and what is not."""

import hmac
import re
from hashlib import sha256
from typing import Any, Final

import msgspec
from django.apps import apps
from django.conf import settings
from django.db import connection

from foretell.errors import ForetellError

FORMAT: Final = 1
HEAD, MANIFEST = "foretell.json", "manifest.json"
ROWS = re.compile(r"tables/(?P<table>[a-z0-9_]{1,63})/[0-9]{6}\.jsonl")
ARTIFACT = re.compile(r"artifacts/(?P<sha256>[0-9a-f]{64})")

#: Apps whose rows stay behind: they end with the session, or are sealed with this installation's SECRET_KEY.
LEFT_BEHIND: Final = frozenset({"sessions", "usersessions", "flows", "idempotency", "tokens", "migrations"})
LOG_TABLES: Final = frozenset({"monitoring_prediction", "monitoring_loggap"})


class ArchiveRefused(ForetellError):
    """A file that is no archive of a tenant, or not one that can be read here."""

    code = "archive_refused"
    kind = "invalid"


class Table(msgspec.Struct, frozen=True):
    """A table of a tenant's schema: its columns in their order, its key, and those columns that count up by themselves."""

    name: str
    columns: list[str]
    key: list[str]
    counters: list[str]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands first.

    migrations : of the tenant's schema, as "app.name": rows fit the same migrations only.
    secret_check : tells whether it was written with the same SECRET_KEY, and nothing else about it.
    chain : where the tenant's audit ended.
    """

    format: int
    foretell: str
    made_at: str
    tenant: dict[str, Any]
    migrations: list[str]
    secret_check: str
    chain: dict[str, Any]
    has_log: bool


class Listed(msgspec.Struct, frozen=True):
    """A file, as the manifest lists it."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True):
    files: dict[str, Listed]


def secret_check(tenant_id: str) -> str:
    key = sha256(b"foretell archives\0" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, tenant_id.encode(), sha256).hexdigest()


_TABLES = """
SELECT class.relname,
       array_agg(attname::text ORDER BY attnum) FILTER (WHERE attgenerated = ''),
       coalesce(array_agg(attname::text ORDER BY attnum) FILTER (WHERE attnum = ANY(indkey)), '{}'),
       coalesce(array_agg(attname::text) FILTER (WHERE attidentity <> ''), '{}')
FROM pg_class AS class JOIN pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_index ON indrelid = class.oid AND indisprimary
WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r' GROUP BY class.relname ORDER BY class.relname
"""


def carried_tables(schema_name: str) -> list[Table]:
    """Return the tables whose rows are carried, as the database has them: those of apps to come among them."""
    left = _tables_left_behind()
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [schema_name])
        return [Table(*row) for row in cursor.fetchall() if row[0] not in left]


def _tables_left_behind() -> set[str]:
    models = (
        model
        for config in apps.get_app_configs()
        if config.label in LEFT_BEHIND
        for model in config.get_models(include_auto_created=True)
    )
    return {"django_migrations", *(model._meta.db_table for model in models)}
