"""Letting old rows go: asked for, recorded, and so that what stays can still be verified.

First the head says up to where the rows go, and a row of the chain says so too, in one short transaction; then they are deleted, part
by part. Whoever verifies begins behind them, and finds the row that says who had them deleted.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from foretell.audit import chains
from foretell.audit.installation.models import ChainHead
from foretell.audit.recording import record
from foretell.audit.verifying import PRUNED
from foretell.core.tenancy import use_public

ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Pruned:
    """rows : that are gone; position : of the last of them."""

    rows: int
    position: int


def prune(*, before: datetime) -> Pruned:
    """Delete the rows of the chain at hand that are older than `before`: a whole beginning of the chain, and never one in its middle."""
    last = chains.last_before(before)
    if last is not None:
        _decide(last.position, last.digest, before)
    position = chains.head().pruned_position
    return Pruned(rows=_delete(position), position=position)


@transaction.atomic
def _decide(position: int, digest: str, before: datetime) -> None:
    """Race condition: of two who prune at once, the one who goes further has the word; the other changes nothing."""
    name = chains.schema_name()
    with use_public():
        head = ChainHead.objects.select_for_update().get(schema_name=name)
        if head.pruned_position >= position:
            return
        ChainHead.objects.filter(schema_name=name).update(pruned_position=position, pruned_digest=digest)
    was = {"position": head.pruned_position, "digest": head.pruned_digest}
    after = {"position": position, "digest": digest, "rows": position - head.pruned_position, "until": before}
    record(action=PRUNED, target=("audit", chains.chain_id()), before=was, after=after)


def _delete(position: int) -> int:
    """Delete in parts, each a transaction of its own: one that is interrupted goes on at the next call."""
    total = 0
    while True:
        ids = list(
            chains.entries()
            .filter(position__lte=position)
            .order_by("position")
            .values_list("pk", flat=True)[:ROWS_AT_ONCE]
        )
        if not ids:
            return total
        total += chains.entries().filter(pk__in=ids).delete()[0]
