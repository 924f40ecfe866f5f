"""The rows of a chain as a table, with all that it takes to check its digests elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from foretell.audit.entries import EntryQuerySet
from foretell.core.exports import Column, Kind, Table

PART: Final = 2_000

COLUMNS: Final = (
    Column("position", Kind.INTEGER), Column("id"), Column("at", Kind.TIME), Column("action"), Column("target_kind"),
    Column("target_id"), Column("target_name"), Column("before", Kind.JSON), Column("after", Kind.JSON), Column("actor_id"),
    Column("actor_name"), Column("credential"), Column("credential_id"), Column("face"), Column("address"), Column("request_id"),
    Column("content_digest"), Column("seal"), Column("previous_digest"), Column("digest"),
)  # fmt: skip


def audit_parts(found: EntryQuerySet) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the rows in the order of the chain, some thousand at a time; each part is a query of its own, by where the last one ended."""
    position = 0
    while rows := list(found.order_by("position").filter(position__gt=position)[:PART]):
        position = rows[-1].position
        yield [[_cell(row, column.name) for column in COLUMNS] for row in rows]


def audit_table(found: EntryQuerySet) -> Table:
    return Table("audit", COLUMNS, audit_parts(found))


def _cell(row: Any, name: str) -> Any:
    return str(row.pk) if name == "id" else getattr(row, name)
