"""The rows of a tenant: kept and put back, compared, and looked through for canaries."""

# ruff: noqa: S608  the names in these statements are ours

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from foretell.core.tenancy import as_owner, use_public
from tests.isolation.twins import Twin

TEXTS = ("text", "character varying", "jsonb")
# Columns whose texts are chosen from a few, made of others, or the same in both on purpose; by column, or by table and column.
NO_CANARIES = {
    "role", "state", "face", "credential", "action", "target_kind", "inputs_type", "runtime", "task", "log_payload",  # chosen
    "scopes", "actions", "signature", "parity", "examples", "options", "uploads",  # the model's, which is the same
    "password", "secret_digest", "push_digest", "sample_sha256", "sha256", "seal", "content_digest", "previous_digest", "digest",  # made
    "kid", "public_key", "fingerprint", "place", "session_key", "session_data",
    "limit_scope", "reason", "reason_code", "wanted_alias",  # empty for what is as it should be
    "credential_id", "accounts_apikey.model_names", "registry_aliasmove.alias",
    "audit_refusalcount.actor_id", "audit_entry.actor_id",  # ids
    "key_id", "rolled_to_id", "joins_as", "mode", "mfa_authenticator.type", "sealed_secret",
    # Django's own tables, which Foretell leaves empty or which are the same for all.
    "auth_group.name", "auth_permission.name", "auth_permission.codename", "django_content_type.app_label", "django_content_type.model",
    "django_migrations.app", "django_migrations.name",
}  # fmt: skip

EMPTY = {
    "account_emailconfirmation",
    "django_admin_log",
    "socialaccount_socialapp",
    "socialaccount_socialtoken",
}  # Foretell uses none of them


def run(twin: Twin, statement: str) -> list[Any]:
    """Execute as whoever owns the schema: a tenant's own role may not do this."""
    with twin.house.inside(), as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def kept(twin: Twin) -> Iterator[None]:
    """Keep a copy of all rows of a tenant, for `put_back`."""
    copies = [
        f'CREATE TABLE kept_{twin.name}."{name}" AS SELECT * FROM {twin.schema}."{name}"' for name in tables_of(twin)
    ]
    run(twin, "; ".join([f"CREATE SCHEMA kept_{twin.name}", *copies]))
    yield
    with use_public(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA kept_{twin.name} CASCADE")


def put_back(twin: Twin) -> None:
    """Let a tenant have the rows that were kept, and no others. No trigger sees it, so that the lane is told here."""
    statements = ["SET LOCAL session_replication_role = replica"]
    for table, columns in tables_of(twin).items():
        statements.append(f'DELETE FROM {twin.schema}."{table}"')
        statements.append(
            f'INSERT INTO {twin.schema}."{table}" ({columns}) SELECT {columns} FROM kept_{twin.name}."{table}"'
        )
    statements.append(f"SELECT public.foretell_tenant_changed('{twin.schema}')")
    run(twin, "; ".join(statements))


def digest_of(twin: Twin) -> dict[str, str]:
    """Return what the rows of each table say, as a digest."""
    each = [
        f"SELECT '{table}', md5(coalesce(string_agg(row::text, ';' ORDER BY row::text), '')) FROM {twin.schema}.\"{table}\" AS row"
        for table in tables_of(twin)
    ]
    return dict(run(twin, " UNION ALL ".join(each)))


def without_canary(twin: Twin) -> list[str]:
    """Return the columns of texts in which nothing would show whose rows they are."""
    marks = "|".join(mark.decode() for mark in twin.marks)
    columns = run(
        twin,
        "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) "
        f"WHERE table_schema = '{twin.schema}' AND table_type = 'BASE TABLE' AND data_type IN {TEXTS} ORDER BY 1, 2",
    )
    asked = [
        pair
        for pair in columns
        if pair[0] not in EMPTY and not {pair[1], ".".join(pair)} & NO_CANARIES and not pair[1].endswith("_key")
    ]
    looks = [
        f"SELECT '{table}.{column}' WHERE NOT EXISTS (SELECT FROM {twin.schema}.\"{table}\" WHERE \"{column}\"::text ~ '{marks}')"
        for table, column in asked
    ]
    return [name for (name,) in run(twin, " UNION ALL ".join(looks))]


_found: dict[str, dict[str, str]] = {}


def tables_of(twin: Twin) -> dict[str, str]:
    """Return the tables of a tenant with their columns, generated ones aside."""
    if twin.schema not in _found:
        rows = run(
            twin,
            "SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) "
            "FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) "
            f"WHERE table_schema = '{twin.schema}' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER' GROUP BY table_name",
        )
        _found[twin.schema] = dict(rows)
    return _found[twin.schema]
