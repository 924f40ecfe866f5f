"""A row of the audit that can be asked for by its id."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from foretell.audit.chains import chain_id
from foretell.audit.content import content_digest, seal
from foretell.audit.models import Entry
from tests.cast import House


def audited_change(house: House, *, id: str) -> None:
    """Write a row with this id, once: rows of the audit stay."""
    with house.inside(), transaction.atomic():
        if Entry.objects.filter(pk=id).exists():
            return
        row = Entry(
            id=UUID(id), at=timezone.now(), action="model.changed", target_kind="model", target_id="sum", credential="key", face="rest",
            actor_name="alice",
        )  # fmt: skip
        row.content_digest = content_digest(row)
        row.seal = seal(row.content_digest, chain=chain_id())
        row.save(force_insert=True)
