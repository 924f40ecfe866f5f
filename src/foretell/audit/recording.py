"""Writing a change down, in the change's own transaction: one statement. Where that is not possible the change does not happen."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils import timezone

from foretell.audit.actors import current_actor
from foretell.audit.chains import chain_id, entry_model
from foretell.audit.content import content_digest, plain, plain_text, seal
from foretell.audit.entries import AuditEntry
from foretell.audit.fields import check_fields


class NotInTransaction(RuntimeError):
    """A row outside the transaction of the change that it is about: one could be committed without the other."""

    def __init__(self, action: str) -> None:
        super().__init__(
            f"{action} was recorded outside a transaction. Put the change and its record into transaction.atomic()."
        )


def record(
    *,
    action: str,
    target: tuple[str, str],
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    name: str = "",
) -> None:
    """Write down that whoever acts changed `target` (its kind and id) from `before` to `after`.

    In a tenant it goes into the tenant's chain, in the public schema into the installation's. Call it behind the write that it is
    about. `name` is what people call the target, where its id does not say it.

    Raises
    ------
    UnlistedField
        for what may not be in a row: see `audit.fields`.
    NotInTransaction
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(action)
    for values in (before, after):
        check_fields(action, target[0], values)
    _entry(action, target, before, after, name).save(force_insert=True)


def _entry(
    action: str, target: tuple[str, str], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, name: str
) -> AuditEntry:
    chain, actor = chain_id(), current_actor()
    kind, identifier = target
    row = entry_model()(
        at=timezone.now(), action=action, target_kind=kind, target_id=plain_text(identifier, 200), target_name=plain_text(name, 200),
        before=plain(before), after=plain(after), actor_id=actor.user_id, actor_name=plain_text(actor.name, 200),
        credential=str(actor.credential), credential_id=plain_text(actor.credential_id, 64), face=str(actor.face),
        address=plain_text(actor.address, 100), request_id=plain_text(actor.request_id, 128),
    )  # fmt: skip
    row.content_digest = content_digest(row)
    row.seal = seal(row.content_digest, chain=chain)
    return row
