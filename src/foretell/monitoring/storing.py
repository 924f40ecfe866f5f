"""One batch of records into the database, in one transaction with the marks that say so.

Security: no search path. Every name is written with its schema, and a schema comes from the tenants' table and has the form
that we choose for schemas.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from foretell.accounts.models import LAST_USED_EVERY, APIKey
from foretell.errors import ForetellError
from foretell.monitoring.copying import COLUMNS, HOUR_US, Hours, Unstorable, packed
from foretell.monitoring.models import LogGap, Prediction, UsageHour
from foretell.monitoring.segment_marks.models import SegmentMark
from foretell.monitoring.tailing import Span
from foretell.segments.records import GapRecord, PredictionRecord
from foretell.tenants.models import SCHEMA_NAME_PATTERN, Tenant

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_USED_EVERY_US = int(LAST_USED_EVERY.total_seconds() * 1e6)
MARKS = sql.Identifier("public", SegmentMark._meta.db_table)
TENANTS = sql.Identifier("public", Tenant._meta.db_table)

_is_schema = re.compile(SCHEMA_NAME_PATTERN).fullmatch


class MarkMoved(ForetellError):
    """Somebody else drained this segment meanwhile; what was read of it is theirs."""

    code = "mark_moved"


@dataclass(slots=True)
class Stored:
    """What became of a batch: `n_dropped` are of tenants that are gone, `n_missed` were answered and never logged."""

    n_predictions: int = 0
    n_dropped: int = 0
    n_missed: int = 0


class Store:
    """Writes batches over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._keys_noted: dict[tuple[str, str], int] = {}

    def marks(self, segments: Sequence[str]) -> dict[str, int]:
        """Return how far segments are drained; one that never was is not among them."""
        query = sql.SQL('SELECT segment, "offset" FROM {} WHERE segment = ANY(%s)').format(MARKS)
        return {str(segment): int(offset) for segment, offset in self._connection.execute(query, [list(segments)])}

    def forget(self, segment: str) -> None:
        self._connection.execute(sql.SQL("DELETE FROM {} WHERE segment = %s").format(MARKS), [segment])

    def store(self, spans: Sequence[Span]) -> Stored:
        """Store all of the batch, or nothing.

        Raises
        ------
        Unstorable, psycopg.DataError, psycopg.IntegrityError
            for a record that fits no row.
        MarkMoved
        """
        stored = Stored()
        with self._connection.transaction(), self._connection.cursor() as cursor:
            _move_marks(cursor, spans)  # first: whoever else has read the same records waits here, and then knows
            groups = _by_tenant(spans)
            schemas = _schemas(cursor, groups)
            for tenant in sorted(groups):
                records = groups[tenant]
                if tenant not in schemas:
                    stored.n_dropped += len(records)
                    continue
                self._store_for(cursor, schemas[tenant], records, stored)
        return stored

    def _store_for(
        self, cursor: Cursor, schema: str, records: Sequence[PredictionRecord | GapRecord], stored: Stored
    ) -> None:
        predictions = [record for record in records if type(record) is PredictionRecord]
        if predictions:
            self._store_predictions(cursor, schema, predictions)
        gaps = [record for record in records if isinstance(record, GapRecord)]
        if gaps:
            cursor.executemany(_statements(schema).gap, list(map(_gap_row, gaps)))
        stored.n_predictions += len(predictions)
        stored.n_missed += sum(gap.n_predictions for gap in gaps)

    def _store_predictions(self, cursor: Cursor, schema: str, predictions: Sequence[PredictionRecord]) -> None:
        body, hours = packed(predictions)
        with cursor.copy(_statements(schema).copy) as copy:
            copy.write(body)
        cursor.execute(_statements(schema).use, _usage_columns(hours))
        self._note_keys(cursor, schema, hours)

    def _note_keys(self, cursor: Cursor, schema: str, hours: Hours) -> None:
        """Tell when keys were last used; of each, at most once a minute."""
        latest: dict[str, int] = {}
        for shares in hours.values():
            for (*_, key_id, _), share in shares.items():
                if key_id is not None:
                    latest[key_id] = max(share.latest_us, latest.get(key_id, 0))
        due = {
            key: at for key, at in latest.items() if at - self._keys_noted.get((schema, key), 0) >= LAST_USED_EVERY_US
        }
        if due:
            cursor.execute(_statements(schema).keys, [list(due), [_moment(at) for at in due.values()]])
            self._keys_noted |= {(schema, key): at for key, at in due.items()}


def _by_tenant(spans: Iterable[Span]) -> dict[str, list[PredictionRecord | GapRecord]]:
    groups: dict[str, list[PredictionRecord | GapRecord]] = defaultdict(list)
    for span in spans:
        for record in span.records:
            groups[record.tenant].append(record)
    return groups


def _schemas(cursor: Cursor, tenants: Iterable[str]) -> dict[str, str]:
    """Return the schemas of those tenants that are there, suspended ones among them."""
    known = {str(identifier): text for text in tenants if (identifier := _uuid(text))}
    cursor.execute(
        sql.SQL("SELECT id::text, schema_name FROM {} WHERE id = ANY(%s::uuid[])").format(TENANTS), [list(known)]
    )
    return {known[identifier]: schema for identifier, schema in cursor if _is_schema(schema)}


def _move_marks(cursor: Cursor, spans: Iterable[Span]) -> None:
    """Move the marks, each from exactly where this batch begins.

    Race condition: two drainers that read the same records both get here; one of them finds that the mark has moved.
    """
    statement = sql.SQL(
        'INSERT INTO {marks} AS mark (segment, "offset") VALUES (%(segment)s, %(end)s) '
        'ON CONFLICT (segment) DO UPDATE SET "offset" = excluded."offset" WHERE mark."offset" = %(start)s'
    ).format(marks=MARKS)
    for span in sorted(spans, key=lambda span: span.segment):
        cursor.execute(statement, {"segment": span.segment, "start": span.start, "end": span.end})
        if cursor.rowcount != 1:
            raise MarkMoved(f"The segment {span.segment} is no longer drained up to {span.start}.")


@dataclass(frozen=True, slots=True)
class _Statements:
    copy: sql.Composed
    use: sql.Composed
    gap: sql.Composed
    keys: sql.Composed


@lru_cache(maxsize=2_000)
def _statements(schema: str) -> _Statements:
    def about(model: Any, text: str) -> sql.Composed:
        table = sql.Identifier(schema, model._meta.db_table)
        return sql.SQL(text).format(table=table, columns=sql.SQL(", ").join(map(sql.Identifier, COLUMNS)))

    return _Statements(
        copy=about(Prediction, "COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)"),
        use=about(
            UsageHour,
            "INSERT INTO {table} AS used (hour, model, version, user_id, key_id, requests, rows, duration_us, bytes) "
            "SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::int[], %s::uuid[], %s::text[], "
            "%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) "
            "ON CONFLICT (hour, model, version, user_id, key_id) DO UPDATE SET "
            "requests = used.requests + excluded.requests, rows = used.rows + excluded.rows, "
            "duration_us = used.duration_us + excluded.duration_us, bytes = used.bytes + excluded.bytes",
        ),
        gap=about(LogGap, "INSERT INTO {table} (id, first_at, last_at, n_predictions) VALUES (%s, %s, %s, %s)"),
        keys=about(
            APIKey,
            "UPDATE {table} AS key SET last_used_at = used.at FROM unnest(%s::text[], %s::timestamptz[]) AS used (key_id, at) "
            "WHERE key.key_id = used.key_id AND (key.last_used_at IS NULL OR key.last_used_at < used.at)",
        ),
    )


def _usage_columns(hours: Hours) -> list[list[Any]]:
    """Return the rows' columns, in one order everywhere: two drainers that wait for each other's rows would wait for ever."""
    uses: dict[tuple[int, str, int, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for hour, shares in hours.items():
        for (model, version, _, user_id, key_id, _), share in shares.items():
            use = uses[hour, model, version, user_id, key_id or ""]
            for position, amount in enumerate((share.requests, share.rows, share.duration_us, share.n_bytes)):
                use[position] += amount
    rows = [(_moment(hour * HOUR_US), *names, *use) for (hour, *names), use in sorted(uses.items())]
    return [list(column) for column in zip(*rows, strict=True)]


def _gap_row(gap: GapRecord) -> tuple[Any, ...]:
    try:
        return UUID(bytes=gap.id), _moment(gap.first_at_us), _moment(gap.last_at_us), gap.n_predictions
    except (ValueError, OverflowError) as err:
        raise Unstorable(f"the gap {gap.id.hex()} fits no row: {err}") from err


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
