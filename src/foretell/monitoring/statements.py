"""The statements that the drainer writes with, for each tenant's schema.

Security: every name is written with its schema, quoted, since the drainer has no search path. Values are never part of the text.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from psycopg import sql

from foretell.accounts.models import APIKey
from foretell.monitoring.copying import COLUMNS
from foretell.monitoring.models import LogGap, Prediction, UsageHour

_USED = """
    INSERT INTO {table} AS used (hour, model, version, user_id, key_id, requests, rows, duration_us, cpu_us, bytes) %s
    ON CONFLICT (hour, model, version, user_id, key_id) DO UPDATE SET
        requests = used.requests + excluded.requests, rows = used.rows + excluded.rows,
        duration_us = used.duration_us + excluded.duration_us, cpu_us = used.cpu_us + excluded.cpu_us,
        bytes = used.bytes + excluded.bytes
"""
_ONE = "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_MANY = """SELECT * FROM unnest(
    %s::timestamptz[], %s::text[], %s::int[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::bigint[], %s::bigint[]
)"""


@dataclass(frozen=True, slots=True)
class Statements:
    """Optimization: as bytes, which the driver takes as they are. Composed anew, they would cost as much as their execution.

    use, use_many : count one row of usage, or many of them, which are given column by column.
    """

    copy: bytes
    use: bytes
    use_many: bytes
    gap: bytes
    keys: bytes


@lru_cache(maxsize=4_000)
def statements_for(schema: str) -> Statements:
    def about(model: Any, text: str) -> bytes:
        table = sql.Identifier(schema, model._meta.db_table)
        return sql.SQL(text).format(table=table, columns=sql.SQL(", ").join(map(sql.Identifier, COLUMNS))).as_bytes()

    return Statements(
        copy=about(Prediction, "COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)"),
        use=about(UsageHour, _USED % _ONE),
        use_many=about(UsageHour, _USED % _MANY),
        gap=about(LogGap, "INSERT INTO {table} (id, first_at, last_at, n_predictions) VALUES (%s, %s, %s, %s)"),
        keys=about(
            APIKey,
            "UPDATE {table} AS key SET last_used_at = used.at FROM unnest(%s::text[], %s::timestamptz[]) AS used (key_id, at) "
            "WHERE key.key_id = used.key_id AND (key.last_used_at IS NULL OR key.last_used_at < used.at)",
        ),
    )
