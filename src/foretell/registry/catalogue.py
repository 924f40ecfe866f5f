"""Making, describing and archiving registered models."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from foretell.accounts.limiting import ModelScope
from foretell.accounts.permissions import Action, Principal, is_allowed, is_visible, may_change_model
from foretell.audit.recording import record
from foretell.naming import check_model_name
from foretell.refusals import NotAllowed
from foretell.registry.errors import ModelExists, UnknownLimitScope
from foretell.registry.log_policies import log_changes
from foretell.registry.models import RegisteredModel

Precondition = Callable[[RegisteredModel], None] | None


def create_model(
    *, name: str, description: str = "", tags: dict[str, str] | None = None, principal: Principal
) -> RegisteredModel:
    """Register a name, without a version yet.

    Raises
    ------
    InvalidName, ModelExists, NotAllowed
    """
    check_model_name(name)
    if not is_visible(principal, name):
        raise NotAllowed(f"Your key is limited to other models, and could not see {name!r} once it is made.")
    try:
        with transaction.atomic():
            model = RegisteredModel.objects.create(
                name=name, description=description, tags=tags or {}, created_by=principal.user
            )
            record(
                action="model.created", target=("model", name), after={"description": description, "tags": model.tags}
            )
            return model
    except IntegrityError as err:
        raise ModelExists(name) from err


@transaction.atomic
def change_model(
    *,
    model: RegisteredModel,
    principal: Principal,
    now: datetime,
    description: str | None = None,
    tags: dict[str, str] | None = None,
    archived: bool | None = None,
    limit_scope: str | None = None,
    log_payload: str | None = None,
    redacted_inputs: Sequence[str] | None = None,
    precondition: Precondition = None,
) -> None:
    """Change what is given, and nothing else: a push that numbers a version meanwhile keeps its number.

    Raises
    ------
    NotAllowed, UnknownLimitScope, InvalidLogPolicy
    PreconditionFailed, PreconditionRequired
        from `precondition`, which is shown the model as it is when nobody else can change it any more.
    """
    model.lock()
    if description is not None or tags is not None:
        check_may_describe(principal, model)
    if precondition is not None:
        precondition(RegisteredModel.objects.described().get(pk=model.pk))
    changes: dict[str, Any] = {}
    if description is not None:
        changes["description"] = description
    if tags is not None:
        changes["tags"] = tags
    if archived is not None:
        _check_may_archive(principal, model)
        changes["archived_at"] = (model.archived_at or now) if archived else None
    if limit_scope is not None:
        _check_may_limit(principal, model, limit_scope)
        changes["limit_scope"] = limit_scope
    changes |= log_changes(
        model=model, principal=principal, log_payload=log_payload, redacted_inputs=redacted_inputs
    )  # fmt: skip
    before = {field: getattr(model, field) for field in changes}
    for field, value in changes.items():
        setattr(model, field, value)
    model.save(update_fields=[*changes, "updated_at"])
    record(action=_name_of(changes), target=("model", model.name), before=before, after=changes)


def archive_model(
    *, model: RegisteredModel, principal: Principal, now: datetime, precondition: Precondition = None
) -> None:
    """Take the model out of use; nothing is deleted."""
    change_model(model=model, principal=principal, now=now, archived=True, precondition=precondition)


def scope_of_model(name: str) -> ModelScope | None:
    """Return the named limit that predictions of a model take from; None where it has none, or is not there."""
    found = RegisteredModel.objects.filter(name=name, archived_at=None).values_list("limit_scope", flat=True).first()
    return ModelScope(name, found) if found else None


def check_may_describe(principal: Principal, model: RegisteredModel) -> None:
    """Refuse who may neither promote the model, nor registered it, nor was granted to push to it.

    Raises
    ------
    NotAllowed
    """
    if not may_change_model(principal, model=model.name, author_id=model.created_by_id):
        raise NotAllowed("Your role describes the models that you registered yourself. Ask an admin for this one.")


def _name_of(changes: Mapping[str, Any]) -> str:
    """Return what the audit calls these changes: whether a model is in use is a thing of its own."""
    if changes.keys() != {"archived_at"}:
        return "model.changed"
    return "model.restored" if changes["archived_at"] is None else "model.archived"


def _check_may_limit(principal: Principal, model: RegisteredModel, scope: str) -> None:
    if not is_allowed(principal, Action.PROMOTE, model=model.name):
        raise NotAllowed("Your role may describe models, but not limit them. Ask an admin.")
    if scope and scope not in settings.LIMIT_SCOPES:
        raise UnknownLimitScope(scope, settings.LIMIT_SCOPES)


def _check_may_archive(principal: Principal, model: RegisteredModel) -> None:
    if not is_allowed(principal, Action.PROMOTE, model=model.name):
        raise NotAllowed("Your role may describe models, but not archive or restore them. Ask an admin.")
