"""What somebody may do with one model, and what a model asks: restriction, and a second pair of eyes.

Models are named here; that they exist is held by whoever calls (`registry`). `by` is who asks; None is an operator.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from foretell.accounts.errors import of_field
from foretell.accounts.models import ModelGrant, ModelPolicy, User
from foretell.accounts.permissions import GRANTABLE, Action, Principal, is_allowed
from foretell.audit.recording import record
from foretell.refusals import NotAllowed


@transaction.atomic
def grant(*, user: User, model: str, actions: Iterable[str], by: Principal | None = None) -> ModelGrant:
    """Let somebody do this with a model, and nothing else beyond their role; it replaces what they were granted on it before.

    Raises
    ------
    NotAllowed, InvalidAccount
    """
    _check_may_grant(by, model)
    wanted = _checked(actions)
    owner = User.objects.select_for_update(of=("self",)).get(pk=user.pk)  # whoever grants to one takes turns
    found, is_new = ModelGrant.objects.get_or_create(user=owner, model_name=model, defaults={"actions": wanted})
    if not is_new and found.actions == wanted:
        return found
    before = None if is_new else _described(found)
    found.actions = wanted
    found.save(update_fields=["actions", "updated_at"])
    record(action="grant.given", target=_target(found), name=owner.username, before=before, after=_described(found))
    return found


@transaction.atomic
def take_grant(*, user: User, model: str, by: Principal | None = None) -> bool:
    """Leave somebody with their role on a model; return whether there was a grant."""
    _check_may_grant(by, model)
    found = ModelGrant.objects.select_for_update().filter(user=user, model_name=model).first()
    if found is None:
        return False
    before, target = _described(found), _target(found)
    found.delete()
    record(action="grant.taken", target=target, name=user.username, before=before)
    return True


def policy_of(model: str) -> ModelPolicy:
    """Return what a model asks beyond roles; where nothing was said, nothing."""
    return ModelPolicy.objects.filter(pk=model).first() or ModelPolicy(model_name=model)


@transaction.atomic
def change_policy(
    *, model: str, restricted: bool | None = None, four_eyes: bool | None = None, by: Principal | None = None
) -> ModelPolicy:
    """Say whether a model is for those only to whom it was granted, and whether each promotion needs a second person.

    Raises
    ------
    NotAllowed
        Security: to do without four eyes takes an owner; else the first pair could close the second.
    """
    _check_may_grant(by, model)
    ModelPolicy.objects.get_or_create(pk=model)
    policy = ModelPolicy.objects.select_for_update().get(pk=model)
    before = described_policy(policy)
    if policy.needs_approval and four_eyes is False and by is not None and not is_allowed(by, Action.OWN):
        raise NotAllowed("Only an owner does without the second pair of eyes.")
    policy.is_restricted = policy.is_restricted if restricted is None else restricted
    policy.needs_approval = policy.needs_approval if four_eyes is None else four_eyes
    if (after := described_policy(policy)) != before:
        policy.save()
        record(action="model.access_changed", target=("model", model), before=before, after=after)
    return policy


def described_policy(policy: ModelPolicy) -> dict[str, bool]:
    return {"restricted": policy.is_restricted, "four_eyes": policy.needs_approval}


def _check_may_grant(by: Principal | None, model: str) -> None:
    if by is not None and not is_allowed(by, Action.MANAGE, model=model):
        raise NotAllowed("Admins and owners say who may do what with a model.")


def _checked(actions: Iterable[str]) -> list[str]:
    """Return them in one order, each once."""
    wanted, known = set(actions), [action.value for action in GRANTABLE]
    if not wanted or not wanted <= set(known):
        found = ", ".join(sorted(wanted.difference(known))) or "none"
        raise of_field("actions", "unknown_action", f"Found {found}; expected one or more of {', '.join(known)}.")
    return [action for action in known if action in wanted]


def _described(found: ModelGrant) -> dict[str, Any]:
    return {"user": found.user.username, "model": found.model_name, "actions": found.actions}


def _target(found: ModelGrant) -> tuple[str, str]:
    return "grant", f"{found.model_name}/{found.user_id}"
