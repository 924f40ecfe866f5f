"""One batch of records into the database, in one transaction with the marks that say so.

Security: a schema comes from the tenants' table and has the form that we choose for schemas.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
import structlog
from psycopg import errors, sql

from foretell.accounts.models import LAST_USED_EVERY
from foretell.errors import ForetellError
from foretell.monitoring import marking
from foretell.monitoring.copying import Hours, Unstorable, packed
from foretell.monitoring.marking import Connection, Cursor, Waiting
from foretell.monitoring.statements import statements_for
from foretell.monitoring.tailing import Span
from foretell.monitoring.tallies import as_arrays, gap_rows, latest_use, moment, usage_rows
from foretell.segments.records import GapRecord, PredictionRecord, Record
from foretell.tenants.models import SCHEMA_NAME_PATTERN, Tenant

log = structlog.get_logger(__name__)

KeyUses = dict[tuple[str, str], int]  # by schema and key

LAST_USED_EVERY_US = int(LAST_USED_EVERY.total_seconds() * 1e6)
MAX_KEYS_NOTED = 100_000
MAX_PREPARED = 2_000  # statements that the server keeps planned: two for each of a thousand tenants
FEW = 4  # rows that are counted quicker one by one
TENANTS = sql.Identifier("public", Tenant._meta.db_table)

# A schema that is behind the code, or ahead of it, or not ours to write to. What a record may have in it leads to none of these.
UNREADY = (
    psycopg.ProgrammingError, errors.NotNullViolation, errors.InvalidBinaryRepresentation, errors.BadCopyFileFormat,
    errors.ProtocolViolation,
)  # fmt: skip
FITS_NO_ROW = (Unstorable, psycopg.DataError, psycopg.IntegrityError)

_is_schema = re.compile(SCHEMA_NAME_PATTERN).fullmatch


class SchemaUnready(ForetellError):
    """A tenant's schema does not take what this version of the code writes."""

    code = "schema_unready"


@dataclass(slots=True)
class Stored:
    """What became of a batch: `n_dropped` are of tenants that are gone, `n_missed` were answered and never logged."""

    n_tenants: int = 0
    n_predictions: int = 0
    n_dropped: int = 0
    n_missed: int = 0


@dataclass(slots=True)
class _Tally:
    """What is written beside the predictions of a tenant."""

    schema: str
    hours: Hours
    gaps: Sequence[GapRecord]


class Store:
    """Writes batches over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.prepared_max = MAX_PREPARED
        self._keys_noted: KeyUses = {}

        self.waiting: Waiting = {}

    def marks(self, segments: Sequence[str]) -> dict[str, int]:
        """Return how far segments are drained, and know from now on what of them waits."""
        self.waiting |= marking.waiting(self._connection, segments)
        return marking.marks(self._connection, segments)

    def forget(self, segment: str) -> None:
        marking.forget(self._connection, segment)

    def store(self, spans: Sequence[Span]) -> Stored:
        """Store all of the batch, or nothing; what is of tenants whose schemas do not take it waits.

        Raises
        ------
        Unstorable, psycopg.DataError, psycopg.IntegrityError
            for a record that fits no row.
        MarkMoved
        """
        known = {tenant for _, tenant in self.waiting}
        try:
            return self._store_but(known, spans)
        except UNREADY as err:
            unready = self._unready(spans, known)
            if not unready:
                raise
            log.warning(
                "predictions of tenants wait for their schemas", tenants=sorted(unready), error=str(err).strip()[:500]
            )
            return self._store_but(known | unready, spans)

    def store_waiting(self, tenant: str, spans: Sequence[Span]) -> Stored:
        """Store what waited of a tenant, piece by piece: all of these spans, or nothing.

        Raises
        ------
        SchemaUnready
            where it has to wait on. And as `store`.
        """
        stored, noted = Stored(), KeyUses()
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                done = {span.segment: marking.shorten(cursor, span, tenant) for span in spans}
                stored, noted = self._store_groups(cursor, _by_tenant(spans))
        except UNREADY as err:
            raise SchemaUnready(str(err).strip()[:500]) from err
        for span in spans:
            piece = span.segment, tenant
            if done[span.segment]:
                del self.waiting[piece]
            else:
                self.waiting[piece] = span.end, self.waiting[piece][1]
        self._remember(noted)
        return stored

    def _store_but(self, waiting: set[str], spans: Sequence[Span]) -> Stored:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            marking.move_marks(cursor, spans)  # first: whoever else read the same records waits here, and then knows
            pieces = marking.let_wait(cursor, spans, waiting, self.waiting)
            groups = {tenant: records for tenant, records in _by_tenant(spans).items() if tenant not in waiting}
            stored, noted = self._store_groups(cursor, groups)
        self.waiting |= pieces
        self._remember(noted)
        return stored

    def _unready(self, spans: Sequence[Span], known: set[str]) -> set[str]:
        """Return the tenants whose schemas do not take their records. Each is tried, and nothing of it is kept."""
        found = set()
        for tenant, records in _by_tenant(spans).items():
            if tenant in known:
                continue
            try:
                with self._connection.transaction(force_rollback=True), self._connection.cursor() as cursor:
                    self._store_groups(cursor, {tenant: records})
            except UNREADY:
                found.add(tenant)
            except FITS_NO_ROW:  # it will be found when the batch is stored
                continue
        return found

    def _store_groups(self, cursor: Cursor, groups: Mapping[str, Sequence[Record]]) -> tuple[Stored, KeyUses]:
        stored, tallies = Stored(n_tenants=len(groups)), []
        schemas = _schemas(cursor, groups)
        for tenant, records in groups.items():
            if tenant in schemas:
                tallies.append(_copied(cursor, schemas[tenant], records, stored))
            else:
                stored.n_dropped += len(records)
        return stored, self._tell(cursor, tallies)

    def _tell(self, cursor: Cursor, tallies: Iterable[_Tally]) -> KeyUses:
        """Write all that is no prediction; return the uses of keys that were noted.

        Optimization: in a pipeline, since each answer that one waits for costs as much as a statement.
        """
        noted: KeyUses = {}
        with self._connection.pipeline():
            for tally in tallies:
                statements = statements_for(tally.schema)
                rows = usage_rows(tally.hours)
                if len(rows) > FEW:
                    cursor.execute(statements.use_many, as_arrays(rows), prepare=True)
                else:
                    for row in rows:
                        cursor.execute(statements.use, row, prepare=True)
                for row in gap_rows(tally.gaps):
                    cursor.execute(statements.gap, row)
                if due := self._due(tally):
                    cursor.execute(statements.keys, [list(due), list(map(moment, due.values()))])
                    noted |= {(tally.schema, key): at for key, at in due.items()}
        return noted

    def _due(self, tally: _Tally) -> dict[str, int]:
        """Return the keys whose use is to be noted: of each, at most once a minute."""
        uses, noted = latest_use(tally.hours), self._keys_noted
        return {key: at for key, at in uses.items() if at - noted.get((tally.schema, key), 0) >= LAST_USED_EVERY_US}

    def _remember(self, noted: KeyUses) -> None:
        if len(self._keys_noted) > MAX_KEYS_NOTED:
            self._keys_noted.clear()
        self._keys_noted |= noted


def _by_tenant(spans: Iterable[Span]) -> dict[str, list[Record]]:
    """Return each tenant's records; tenants in one order everywhere, so that two drainers never wait for each other's locks."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for span in spans:
        for record in span.records:
            groups[record.tenant].append(record)
    return dict(sorted(groups.items()))


def _schemas(cursor: Cursor, tenants: Iterable[str]) -> dict[str, str]:
    """Return the schemas of those tenants that are there, suspended ones among them."""
    known = {str(identifier): text for text in tenants if (identifier := _uuid(text))}
    cursor.execute(
        sql.SQL("SELECT id::text, schema_name FROM {} WHERE id = ANY(%s::uuid[])").format(TENANTS), [list(known)]
    )
    return {known[identifier]: schema for identifier, schema in cursor if _is_schema(schema)}


def _copied(cursor: Cursor, schema: str, records: Sequence[Record], stored: Stored) -> _Tally:
    """Store a tenant's predictions; return what else is to be written of its records."""
    predictions = [record for record in records if type(record) is PredictionRecord]
    gaps = [record for record in records if type(record) is GapRecord]
    hours: Hours = {}
    if predictions:
        body, hours = packed(predictions)
        with cursor.copy(statements_for(schema).copy) as copy:
            copy.write(body)
    stored.n_predictions += len(predictions)
    stored.n_missed += sum(gap.n_predictions for gap in gaps)
    return _Tally(schema, hours, gaps)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
