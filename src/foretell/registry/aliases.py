"""Moving aliases: the only thing about a model that changes under its callers. Each move has a row for ever."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from foretell.accounts.grants import policy_of
from foretell.accounts.models import User
from foretell.audit.recording import record
from foretell.inference.signature import Input, Signature
from foretell.naming import check_alias
from foretell.refusals import NoSuchAlias, VersionNotReady
from foretell.registry.errors import (
    AliasChanged,
    AliasExists,
    ApprovalRequired,
    ModelArchived,
    NothingToRollBackTo,
    PreconditionRequired,
    SignatureMismatch,
)
from foretell.registry.models import Alias, AliasMove, ModelVersion, RegisteredModel


@transaction.atomic
def promote_version(
    *, version: ModelVersion, alias: str, by: User, now: datetime, if_match: str | None = None, must_match: bool = False,
    allow_signature_change: bool = False, is_rollback: bool = False, is_approved: bool = False,
) -> Alias:  # fmt: skip
    """Point `alias` at `version`; the next request through the alias uses it.

    Raises
    ------
    VersionNotReady
        for a version that is not built.
    ModelArchived
        while the model is out of use.
    AliasChanged, PreconditionRequired
        where the alias is no longer the one of `if_match`, or, if it `must_match`, none was said for an alias that exists.
    SignatureMismatch
        if callers of the version served until now would be refused by this one, and no change was allowed.
    ApprovalRequired
        where the model asks for a second person, and none approved it; see `promotions`. Back is a way that was approved before.
    """
    check_alias(alias)
    if not version.is_ready:
        raise VersionNotReady(f"{version} is {version.state}, not ready, so {alias!r} cannot point at it.")
    existing = _locked(version.model, alias)
    if version.model.archived_at is not None:
        raise ModelArchived(version.model.name)
    _check_precondition(existing, if_match, must_match)
    if existing is not None and existing.version_id == version.pk:
        return existing
    if existing is not None and not allow_signature_change:
        _check_callers(existing.version, version)
    if not is_approved and not is_rollback and policy_of(version.model.name).needs_approval:
        raise ApprovalRequired(version.model.name)
    AliasMove.objects.create(
        model=version.model, alias=alias, from_number=existing.version.number if existing else None, to_number=version.number,
        is_rollback=is_rollback, moved_by=by, moved_at=now,
    )  # fmt: skip
    before = {"version": existing.version.number} if existing else None
    pointed = _pointed(existing, version, alias)
    _record(
        version.model,
        alias,
        before,
        {"version": version.number, "is_rollback": is_rollback, "requested_by": by.username},
    )
    return pointed


@transaction.atomic
def create_alias(
    *, version: ModelVersion, alias: str, by: User, now: datetime, allow_signature_change: bool = False
) -> Alias:
    """Make an alias that is not there yet, and point it at `version`.

    Raises
    ------
    AliasExists
        where it is there; and whatever `promote_version` raises.
    """
    if _locked(version.model, alias) is not None:
        raise AliasExists(version.model.name, alias)
    return promote_version(version=version, alias=alias, by=by, now=now, allow_signature_change=allow_signature_change)


@transaction.atomic
def rollback_alias(*, model: RegisteredModel, alias: str, by: User, now: datetime) -> Alias:
    """Point `alias` back at the version before its present one; again, and it goes one further back."""
    existing = _locked(model, alias)
    if existing is None:
        raise NoSuchAlias(model.name, alias)
    number = _number_before(model, alias)
    before = None if number is None else model.versions.filter(number=number).first()
    if before is None:
        raise NothingToRollBackTo(
            f"{alias!r} of {model.name!r} points at version {existing.version.number}, its first: there is none before."
        )
    return promote_version(version=before, alias=alias, by=by, now=now, allow_signature_change=True, is_rollback=True)


@transaction.atomic
def delete_alias(*, model: RegisteredModel, alias: str, by: User, now: datetime, if_match: str | None = None) -> None:
    existing = _locked(model, alias)
    if existing is None:
        raise NoSuchAlias(model.name, alias)
    _check_precondition(existing, if_match, must_match=True)
    AliasMove.objects.create(
        model=model, alias=alias, from_number=existing.version.number, to_number=None, moved_by=by, moved_at=now
    )
    existing.delete()
    _record(model, alias, {"version": existing.version.number}, None)


def why_callers_break(served: Signature, offered: Signature) -> list[str]:
    """Say what callers of `served` would be refused, or be answered otherwise, by `offered`; nothing where all goes on."""
    old = {item.name: item for item in served.inputs}
    new = {item.name: item for item in offered.inputs}
    broken = [f"{name!r} is no longer an input" for name in old if name not in new]
    broken += [
        f"{name!r} is a new input that must be given"
        for name, item in new.items()
        if name not in old and not item.nullable
    ]
    broken += [detail for name, item in new.items() if name in old for detail in _narrowed(old[name], item)]
    if _shape(served) != _shape(offered):
        broken.append("the outputs are others")
    return broken


def _record(
    model: RegisteredModel, alias: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> None:
    """Write a move down, as `alias_history` reads it."""
    action = "alias.deleted" if after is None else "alias.rolled_back" if after["is_rollback"] else "alias.moved"
    record(action=action, target=("alias", f"{model.name}@{alias}"), before=before, after=after)


def _shape(signature: Signature) -> list[tuple[str, str]]:
    """Return what callers see of the outputs: a lone one is never called by its name."""
    return [("" if signature.is_scalar else output.name, output.task) for output in signature.outputs]


def _narrowed(old: Input, new: Input) -> list[str]:
    if old.dtype is not new.dtype:
        return [f"{new.name!r} was {old.dtype} and is {new.dtype}"]
    broken = []
    if old.nullable and not new.nullable:
        broken.append(f"{new.name!r} may no longer be missing")
    lost = [value for value in old.categories if value not in new.categories]
    if new.closed and lost:
        broken.append(f"{new.name!r} no longer takes {lost[0]!r}")
    return broken


def _check_callers(served: ModelVersion, offered: ModelVersion) -> None:
    broken = why_callers_break(served.read_signature(), offered.read_signature())
    if broken:
        raise SignatureMismatch(
            f"{offered} does not take what version {served.number} takes: {'; '.join(broken[:5])}. Callers would be refused. "
            "If that is meant, promote it with allow_signature_change.",
        )


def _check_precondition(existing: Alias | None, if_match: str | None, must_match: bool) -> None:
    if if_match is None:
        if must_match and existing is not None:
            raise PreconditionRequired(
                "This alias exists. Send If-Match with the ETag of your last GET, so that you do not undo somebody else's move unseen."
            )
        return
    if existing is None or {"*", existing.etag}.isdisjoint(tag.strip() for tag in if_match.split(",")):
        raise AliasChanged("The alias was moved since you read it. Read it again, and decide anew.")


def _number_before(model: RegisteredModel, alias: str) -> int | None:
    """Replay the moves: each promotion is a step forward, each rollback takes the last one back."""
    path: list[int] = []
    moves = model.moves.filter(alias=alias).order_by(
        "id"
    )  # the order in which they took their turns, whatever the clocks said
    for number, is_rollback in moves.values_list("to_number", "is_rollback"):
        if number is None:
            path.clear()
        elif is_rollback:
            del path[-1:]
        else:
            path.append(number)
    return path[-2] if len(path) > 1 else None


def _locked(model: RegisteredModel, alias: str) -> Alias | None:
    """Return the alias, which nobody else moves until the transaction ends; nor makes it, where there is none yet."""
    model.lock()
    return Alias.objects.select_related("version", "model").filter(model=model, name=alias).first()


def _pointed(existing: Alias | None, version: ModelVersion, name: str) -> Alias:
    if existing is None:
        return Alias.objects.create(model=version.model, name=name, version=version)
    existing.version, existing.revision = version, existing.revision + 1
    existing.save(update_fields=["version", "revision", "updated_at"])
    return existing
