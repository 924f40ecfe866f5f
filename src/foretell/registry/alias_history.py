"""Where an alias pointed at each moment: read from the audit, whose rows hold one another."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from foretell.audit.entries import EntryQuerySet
from foretell.audit.models import Entry
from foretell.refusals import NoSuchAlias
from foretell.registry.models import AliasMove, RegisteredModel


@dataclass(frozen=True, slots=True)
class Move:
    """One move of an alias.

    version, from_version : None: it pointed at none, since it was deleted, or not made yet.
    by : who asked for it; an alias that waited for a build was moved by the worker.
    entry : the row of the audit; None where that is gone, or older than the audit.
    """

    at: datetime
    version: int | None
    from_version: int | None
    by: str
    is_rollback: bool
    entry: Entry | None = None

    @property
    def entry_id(self) -> UUID | None:
        return self.entry.pk if self.entry is not None else None


def moves_of(model: RegisteredModel, alias: str) -> EntryQuerySet:
    """Return the rows about an alias, the newest first; also of one that is gone, and of a model that is archived."""
    found: EntryQuerySet = Entry.objects.exclude(position=None).about("alias", [f"{model.name}@{alias}"])
    return found.filter(action__startswith="alias.").since(model.created_at).order_by("-position")


def move_at(model: RegisteredModel, alias: str, at: datetime) -> Move | None:
    """Return the move that held at a moment, in one query; None where the alias pointed nowhere yet.

    Only where the audit does not go back that far, since its old rows were pruned, a second one asks the registry's own list.

    Raises
    ------
    NoSuchAlias
        for an alias that never was.
    """
    row = moves_of(model, alias).filter(at__lte=at).first()
    if row is not None:
        return to_move(row)
    moves = model.moves.filter(alias=alias)
    move = moves.filter(moved_at__lte=at).select_related("moved_by").order_by("-id").first()
    if move is None:
        check_ever_was(model, alias)
        return None
    return _unaudited(move)


def check_ever_was(model: RegisteredModel, alias: str) -> None:
    """Raise NoSuchAlias for an alias that never was."""
    if not model.moves.filter(alias=alias).exists() and not moves_of(model, alias).exists():
        raise NoSuchAlias(model.name, alias)


def to_move(row: Any) -> Move:
    before, after = row.before or {}, row.after or {}
    return Move(
        at=row.at, version=after.get("version"), from_version=before.get("version"), by=after.get("requested_by") or row.actor_name,
        is_rollback=bool(after.get("is_rollback")), entry=row,
    )  # fmt: skip


def _unaudited(move: AliasMove) -> Move:
    return Move(
        at=move.moved_at, version=move.to_number, from_version=move.from_number, by=move.moved_by.username,
        is_rollback=move.is_rollback,
    )  # fmt: skip
