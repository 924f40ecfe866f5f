"""What is said of a version beside what it is: description, tags, metrics, lineage; and its deletion."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from foretell.accounts.permissions import Principal, may_change_version
from foretell.audit.recording import record
from foretell.refusals import NotAllowed, VersionNotReady
from foretell.registry.errors import VersionInUse
from foretell.registry.lineage import check_older, parent_of
from foretell.registry.models import ModelVersion, State

Precondition = Callable[[ModelVersion], None] | None
SAID = ("description", "tags", "metrics", "lineage")


@transaction.atomic
def describe_version(
    *, version: ModelVersion, principal: Principal, changes: Mapping[str, Any], precondition: Precondition = None
) -> ModelVersion:
    """Say something else of a version: `changes` has some of `SAID`. What was built, and what was signed, stays.

    Raises
    ------
    NotAllowed, UnknownParent
    PreconditionFailed, PreconditionRequired
        from `precondition`, which is shown the version as it is when nobody else can change it any more.
    """
    found = _locked(version, principal, precondition)
    fields = {name: value for name, value in changes.items() if name in SAID}
    before = {name: getattr(found, name) for name in fields}
    if "lineage" in fields:
        found.parent = parent_of(fields["lineage"], principal=principal)
        check_older(found.parent, found)
    for name, value in fields.items():
        setattr(found, name, value)
    found.save(update_fields=[*fields, *(["parent"] if "lineage" in fields else []), "updated_at"])
    record(action="version.changed", target=target_of(found), before=before, after=fields)
    return found


@transaction.atomic
def delete_version(*, version: ModelVersion, principal: Principal, precondition: Precondition = None) -> None:
    """Delete a version that no alias points at; its number is never used again, and what it predicted stays in the log.

    Raises
    ------
    NotAllowed, VersionInUse, VersionNotReady
    """
    found = _locked(version, principal, precondition)
    names = [alias.name for alias in found.aliases.all()]
    if names:
        raise VersionInUse(
            f"{found} is what {', '.join(map(repr, names))} points at. Move the alias first, or delete it."
        )
    if found.state == State.BUILDING:
        raise VersionNotReady(f"{found} is being built. Wait until it is ready or failed, then delete it.")
    before = {"state": found.state, "sha256": found.sha256, "author": found.created_by.username}
    found.delete()
    record(action="version.deleted", target=target_of(found), before=before)


def target_of(version: ModelVersion) -> tuple[str, str]:
    """Return what the audit calls a version."""
    return "version", f"{version.model.name}:{version.number}"


def _locked(version: ModelVersion, principal: Principal, precondition: Precondition) -> ModelVersion:
    """Return the version as it is; until the transaction ends nobody changes it, and nobody points an alias at it."""
    model = version.model
    model.lock()
    found = (
        ModelVersion.objects.select_for_update(of=("self",))
        .select_related("model", "created_by")
        .prefetch_related("aliases")
        .get(pk=version.pk)
    )
    if not may_change_version(principal, model=model.name, author_id=found.created_by_id):
        raise NotAllowed("Your role changes the versions that you pushed yourself. Ask an admin for this one.")
    if precondition is not None:
        precondition(found)
    return found
