"""Whether a chain is as it was written: each row says what it said, follows on the one before, and none is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from foretell.audit import chains
from foretell.audit.anchors import Anchor
from foretell.audit.content import content_digest, link_digest, seal
from foretell.audit.installation.models import ChainHead, InstallationEntry
from foretell.core.tenancy import PUBLIC_SCHEMA, use_public

PRUNED = "audit.pruned"
IMPORTED = "tenant.imported"
ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that does not fit, by its place in the chain; and why."""

    position: int | None
    reason: str
    id: str = ""

    def __str__(self) -> str:
        where = "a row without a place" if self.position is None else f"row {self.position}"
        return f"{where}{f' ({self.id})' if self.id else ''}: {self.reason}"


@dataclass(slots=True)
class Verified:
    """What was found: up to where the chain holds, and what comes next, where something is wrong.

    sealed_elsewhere : rows that another installation wrote, before the tenant was brought here.
    """

    rows: int = 0
    position: int = 0
    digest: str = ""
    sealed_elsewhere: int = 0
    anchored_at: str = ""
    fault: Fault | None = None


@dataclass(slots=True)
class _Walk:
    """One pass along the chain, from its head's beginning to its end."""

    head: ChainHead
    anchor: Anchor | None
    imported: tuple[int, str] | None
    chain: str = field(default_factory=chains.chain_id)
    rows: int = 0
    sealed_elsewhere: int = 0
    position: int = 0
    digest: str = ""
    pruned: tuple[int, str] | None = None

    def __post_init__(self) -> None:
        self.position, self.digest = self.head.pruned_position, self.head.pruned_digest

    def fault_of(self, row: Any) -> str | None:
        """Return why a row does not fit behind the one before; where it does, go on behind it."""
        if row.position > self.position + 1:
            return _missing(self.position + 1, row.position - 1)
        if content_digest(row) != row.content_digest:
            return "it does not say what was written: its content has another digest."
        if row.previous_digest != self.digest:
            return f"it does not follow on row {self.position}: it was written behind another one."
        if self._link(row) != row.digest:
            return "this is not the place in the chain that it was given."
        if fault := self._seal_fault(row) or self._passing_fault(row):
            return fault
        self.position, self.digest, self.rows = row.position, row.digest, self.rows + 1
        if row.action == PRUNED and isinstance(row.after, dict):
            self.pruned = (row.after.get("position"), row.after.get("digest"))  # type: ignore[assignment]  # compared only
        return None

    def end_fault(self) -> Fault | None:
        """Return what is wrong with the whole, where each row fits."""
        head, anchor = self.head, self.anchor
        if self.position < head.position:
            return Fault(self.position + 1, _missing(self.position + 1, head.position))
        if self.position > head.position or self.digest != head.digest:
            return Fault(
                self.position,
                f"the chain ends here, and its head says that it ends with row {head.position}, another one.",
            )
        if anchor is not None and anchor.position > self.position:
            return Fault(
                self.position + 1, f"{_missing(self.position + 1, anchor.position)} They were there at {anchor.at}."
            )
        if head.pruned_position and self.pruned != (head.pruned_position, head.pruned_digest):
            return Fault(head.pruned_position, "all up to here is gone, and no row says that it was pruned.")
        return None

    def _link(self, row: Any) -> str:
        return link_digest(
            position=row.position, previous=row.previous_digest, content=row.content_digest, seal=row.seal
        )

    def _seal_fault(self, row: Any) -> str | None:
        if seal(row.content_digest, chain=self.chain) == row.seal:
            return None
        if self.imported is not None and row.position <= self.imported[0]:
            self.sealed_elsewhere += 1
            return None
        return "Foretell did not write it: its seal is not of this installation's SECRET_KEY."

    def _passing_fault(self, row: Any) -> str | None:
        if self.imported is not None and row.position == self.imported[0] and row.digest != self.imported[1]:
            return "it is not the row with which the tenant was imported."
        if self.anchor is not None and row.position == self.anchor.position and row.digest != self.anchor.digest:
            return f"it is not the row that was here at {self.anchor.at}: the chain was written anew since."
        return None


def verify_chain(*, anchor: Anchor | None) -> Verified:
    """Read the chain at hand from its beginning, up to the first row that does not fit. `anchor` is what is kept of it elsewhere."""
    with _one_moment():
        walk = _Walk(head=chains.head(), anchor=anchor, imported=_imported())
        fault = next(_faults(walk), None) or walk.end_fault()
    return Verified(
        rows=walk.rows, position=walk.position, digest=walk.digest, sealed_elsewhere=walk.sealed_elsewhere,
        anchored_at=anchor.at if anchor else "", fault=fault,
    )  # fmt: skip


def _faults(walk: _Walk) -> Iterator[Fault]:
    """Yield what is wrong, row by row; rows without a place come last."""
    rows = chains.entries().exclude(position__lte=walk.head.pruned_position).order_by("position")
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        if row.position is None:
            yield Fault(None, "it was written past the triggers that give a row its place.", str(row.pk))
        elif (reason := walk.fault_of(row)) is not None:
            yield Fault(row.position, reason, str(row.pk))


def _missing(first: int, last: int) -> str:
    return f"row {first} is missing." if first == last else f"rows {first} to {last} are missing."


def _imported() -> tuple[int, str] | None:
    """Return the end that the chain at hand had when its tenant was brought here; None where it was not."""
    chain = chains.chain_id()
    if chain == PUBLIC_SCHEMA:
        return None
    with use_public():
        rows = InstallationEntry.objects.filter(action=IMPORTED, target_kind="tenant", target_id=chain)
        after = rows.order_by("-position").values_list("after", flat=True).first() or {}
    return (after["position"], after["digest"]) if "position" in after and "digest" in after else None


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read the chain and its head as they were at one moment; within a transaction, at its own."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
