"""Taking in a new version: what was uploaded is kept, numbered and queued for its build, in one transaction."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from foretell.accounts.models import User
from foretell.accounts.permissions import Action, Principal, is_allowed
from foretell.audit.recording import record
from foretell.naming import CHAMPION, check_alias, check_model_name
from foretell.refusals import NotAllowed
from foretell.registry.building import defer_build
from foretell.registry.describing import target_of
from foretell.registry.errors import ModelArchived
from foretell.registry.lineage import parent_of
from foretell.registry.models import ModelVersion, RegisteredModel, State
from foretell.registry.promotions import promote
from foretell.registry.storage import Stored


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it came: the name for messages only."""

    name: str
    stored: Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMetadata:
    """What an author says beside the files; see docs/push.md."""

    target: str | None = None
    alias: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    description: str = ""
    lineage: dict[str, Any] = field(default_factory=dict)
    refinements: dict[str, Any] = field(default_factory=dict)
    accept_difference: float | None = None
    converted: dict[str, Any] | None = None

    def options(self) -> dict[str, Any]:
        """Return what decides the outcome of the build."""
        return {
            "target": self.target,
            "refinements": self.refinements,
            "accept_difference": self.accept_difference,
            "converted": self.converted,
        }


def push_version(
    *,
    name: str,
    uploads: Sequence[Upload],
    sample: Stored | None,
    metadata: PushMetadata,
    principal: Principal,
    now: datetime,
) -> tuple[ModelVersion, bool]:
    """Register a version and queue its build; the model is made where there is none.

    Returns the version, and whether it is new: the same files with the same options are the same version, which is
    built again only where it failed. An alias that is named moves to it all the same, when it is ready.
    """
    check_model_name(name)
    _check_alias(metadata.alias, principal, name)
    digest = push_digest(uploads, sample, metadata)
    with transaction.atomic():
        model = _locked_model(name, principal.user)
        known = model.versions.select_related("model").filter(push_digest=digest).first()
        if known is not None:
            return _again(known, metadata, principal, now), False
        parent = parent_of(metadata.lineage, principal=principal, attr="metadata.lineage.parent")
        version = _new_version(model, uploads, sample, metadata, principal, digest, parent)
        defer_build(version, now=now)
    return version, True


def push_digest(uploads: Sequence[Upload], sample: Stored | None, metadata: PushMetadata) -> str:
    identity = [[upload.stored.sha256 for upload in uploads], sample.sha256 if sample else None, metadata.options()]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _check_alias(alias: str | None, principal: Principal, model: str) -> None:
    if alias is None:
        return
    check_alias(alias)
    if not is_allowed(principal, Action.PROMOTE, model=model):
        raise NotAllowed(
            f"Your role may push, but not move the alias {alias!r}. Push without an alias, and ask an admin to promote the version."
        )


def _locked_model(name: str, by: User) -> RegisteredModel:
    """Race condition: pushes of one model take turns, so that numbers have no gaps and equal pushes meet."""
    _, is_new = RegisteredModel.objects.get_or_create(name=name, defaults={"created_by": by})
    model = RegisteredModel.objects.select_for_update().get(name=name)
    if is_new:
        record(action="model.created", target=("model", name))
    if model.archived_at is not None:
        raise ModelArchived(name)
    return model


def _again(version: ModelVersion, metadata: PushMetadata, principal: Principal, now: datetime) -> ModelVersion:
    """Do what a repeated push still asks for: build what failed, and move the alias that it names."""
    if metadata.alias is not None and version.is_ready:
        promote(version=version, alias=metadata.alias, by=principal.user, now=now)
    elif metadata.alias is not None:
        before, version.wanted_alias = {"wanted_alias": version.wanted_alias}, metadata.alias
        version.save(update_fields=["wanted_alias", "updated_at"])
        record(
            action="version.changed", target=target_of(version), before=before, after={"wanted_alias": metadata.alias}
        )
    if version.state == State.FAILED:
        before = {"state": version.state, "reason_code": version.reason_code}
        version.state, version.reason_code, version.reason, version.interruptions = State.QUARANTINED, "", "", 0
        version.save(update_fields=["state", "reason_code", "reason", "interruptions", "updated_at"])
        record(action="version.pushed", target=target_of(version), before=before, after={"state": version.state})
        defer_build(version, now=now)
    return version


def _new_version(
    model: RegisteredModel,
    uploads: Sequence[Upload],
    sample: Stored | None,
    metadata: PushMetadata,
    principal: Principal,
    digest: str,
    parent: ModelVersion | None,
) -> ModelVersion:
    model.last_number += 1
    is_described = bool(model.description) or not metadata.description
    model.description = model.description or metadata.description
    model.save(update_fields=["last_number", "description", "updated_at"])
    if not is_described:
        after = {"description": model.description}
        record(action="model.changed", target=("model", model.name), before={"description": ""}, after=after)
    version = ModelVersion.objects.create(
        model=model,
        number=model.last_number,
        push_digest=digest,
        uploads=[{"name": upload.name, **asdict(upload.stored)} for upload in uploads],
        sample_sha256=sample.sha256 if sample else "",
        options=metadata.options(),
        wanted_alias=metadata.alias or _first_champion(model, principal),
        metrics=metadata.metrics,
        tags=metadata.tags,
        description=metadata.description,
        lineage=metadata.lineage,
        parent=parent,
        created_by=principal.user,
    )
    record(action="version.pushed", target=target_of(version), after=_as_pushed(version))
    return version


def _as_pushed(version: ModelVersion) -> dict[str, Any]:
    """Return what the audit keeps of a push."""
    said = ("state", "push_digest", "wanted_alias", "metrics", "tags", "description", "lineage")
    return {name: getattr(version, name) for name in said}


def _first_champion(model: RegisteredModel, principal: Principal) -> str:
    """Let the first version of a model be served without another word, where its author may decide that."""
    if not is_allowed(principal, Action.PROMOTE, model=model.name) or model.aliases.filter(name=CHAMPION).exists():
        return ""
    is_awaited = model.versions.unfinished().filter(wanted_alias=CHAMPION).exists()
    return "" if is_awaited else CHAMPION
