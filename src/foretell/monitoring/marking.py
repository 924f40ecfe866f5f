"""What the public schema knows of segments: how far each is drained, and of whom pieces of it wait.

A piece waits where its tenant's schema could not take it. From there on all of the tenant's records in that segment wait, so that one
piece for each is all there is to know; the mark goes past it, for all others.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from foretell.errors import ForetellError
from foretell.monitoring.segment_marks.models import SegmentMark, WaitingPiece
from foretell.monitoring.tailing import Span

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]
Waiting = dict[tuple[str, str], tuple[int, int]]  # by segment and tenant: where the piece begins and ends


class MarkMoved(ForetellError):
    """Somebody else drained this segment meanwhile; what was read of it is theirs."""

    code = "mark_moved"


def _about(text: str) -> bytes:
    marks, waiting = (sql.Identifier("public", model._meta.db_table) for model in (SegmentMark, WaitingPiece))
    return sql.SQL(text).format(marks=marks, waiting=waiting).as_bytes()


_MARKS = _about('SELECT segment, "offset" FROM {marks} WHERE segment = ANY(%s)')
_WAITING = _about("SELECT segment, tenant, begins, ends FROM {waiting} WHERE segment = ANY(%s)")
_FORGET = _about("DELETE FROM {marks} WHERE segment = %s")
_MOVE = _about(
    'INSERT INTO {marks} AS mark (segment, "offset") VALUES (%s, %s) '
    'ON CONFLICT (segment) DO UPDATE SET "offset" = excluded."offset" WHERE mark."offset" = %s'
)
_WAIT = _about(
    "INSERT INTO {waiting} (segment, tenant, begins, ends) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (segment, tenant) DO UPDATE SET ends = excluded.ends"
)
_GO_ON = _about("UPDATE {waiting} SET begins = %s WHERE segment = %s AND tenant = %s AND begins = %s AND ends > %s")
_DONE = _about("DELETE FROM {waiting} WHERE segment = %s AND tenant = %s AND begins = %s AND ends <= %s")


def marks(connection: Connection, segments: Sequence[str]) -> dict[str, int]:
    """Return how far segments are drained; one that never was is not among them."""
    return {str(segment): int(offset) for segment, offset in connection.execute(_MARKS, [list(segments)])}


def waiting(connection: Connection, segments: Sequence[str]) -> Waiting:
    found = connection.execute(_WAITING, [list(segments)])
    return {(str(segment), str(tenant)): (int(begins), int(ends)) for segment, tenant, begins, ends in found}


def forget(connection: Connection, segment: str) -> None:
    connection.execute(_FORGET, [segment])


def move_marks(cursor: Cursor, spans: Iterable[Span]) -> None:
    """Move the marks, each from exactly where this batch begins.

    Race condition: two drainers that read the same records both get here; one of them finds that a mark has moved.
    """
    ordered = sorted(spans, key=lambda span: span.segment)
    cursor.executemany(_MOVE, [(span.segment, span.end, span.start) for span in ordered])
    if cursor.rowcount != len(ordered):
        names = ", ".join(f"{span.segment} up to {span.start}" for span in ordered)
        raise MarkMoved(f"One of these segments is no longer drained as far as it was: {names}.")


def let_wait(cursor: Cursor, spans: Iterable[Span], tenants: set[str], known: Waiting) -> Waiting:
    """Write down that what these tenants have in the batch waits; return those pieces as they are then."""
    pieces = {
        (span.segment, tenant): (known.get((span.segment, tenant), (span.start, 0))[0], span.end)
        for span in (spans if tenants else ())
        for tenant in sorted(span.tenants & tenants)
    }
    if pieces:
        cursor.executemany(_WAIT, [(*names, *bounds) for names, bounds in pieces.items()])
    return pieces


def shorten(cursor: Cursor, span: Span, tenant: str) -> bool:
    """Take what lies in the span off the piece that waits; return whether that was all of it."""
    cursor.execute(_GO_ON, [span.end, span.segment, tenant, span.start, span.end])
    if cursor.rowcount == 1:
        return False
    cursor.execute(_DONE, [span.segment, tenant, span.start, span.end])
    if cursor.rowcount != 1:
        raise MarkMoved(f"What waited of {tenant} in {span.segment} from {span.start} on waits no longer.")
    return True
