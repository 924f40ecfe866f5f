"""Who may do what. The one file that decides; views, pages, tasks and the command line ask it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from foretell.accounts.model_access import ModelAccess, read_access
from foretell.accounts.models import APIKey, User
from foretell.accounts.newcomers import Acceptance, acceptances, came_together
from foretell.accounts.roles import Role, Scope
from foretell.accounts.tokens.claims import AccessToken


class Action(StrEnum):
    IDENTIFY = "identify"  # ask who one is
    READ = "read"  # see models, versions, aliases
    PREDICT = "predict"
    PUSH = "push"  # make models and versions
    PROMOTE = "promote"  # move aliases, archive models
    MANAGE_SELF = "manage_self"  # one's own account and keys
    MANAGE = "manage"  # people and their keys, and what they are granted
    OWN = "own"  # hand the tenant over, do without four eyes
    READ_LOG = "read_log"  # one's own predictions
    READ_WHOLE_LOG = "read_whole_log"  # everybody's
    READ_AUDIT = "read_audit"  # who changed what


_VIEWER = frozenset({Action.IDENTIFY, Action.READ, Action.PREDICT, Action.READ_LOG, Action.MANAGE_SELF})
_EDITOR = _VIEWER | {Action.PUSH}
_ADMIN = _EDITOR | {Action.PROMOTE, Action.MANAGE, Action.READ_WHOLE_LOG, Action.READ_AUDIT}

ACTIONS_OF_ROLE: dict[str, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.EDITOR: _EDITOR,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN | {Action.OWN},
}
ON_MODELS = frozenset({Action.READ, Action.PREDICT, Action.PUSH, Action.PROMOTE})
KEPT = "_foretell_principal"
GRANTABLE = (Action.PREDICT, Action.PUSH, Action.PROMOTE)  # on one model; each lets it be seen as well
ACTIONS_OF_SCOPE: dict[str, frozenset[Action]] = {
    Scope.PREDICT: frozenset({Action.IDENTIFY, Action.PREDICT}),
    Scope.MODELS_READ: frozenset({Action.IDENTIFY, Action.READ, Action.READ_LOG}),
    Scope.MODELS_WRITE: frozenset({Action.IDENTIFY, Action.READ, Action.PUSH, Action.PROMOTE}),
    Scope.JOBS: frozenset({Action.IDENTIFY}),
    Scope.ADMIN: frozenset(Action),
}


@dataclass(frozen=True)
class Principal:
    """Who a request comes from: somebody, narrowed by the key that was used.

    scopes : of the key or the token; None: neither, or no narrowing.
    models : names of the models that the key is limited to; None: all.
    key_expires_at : when the key ends; None: never, or no key.
    key_made_by : who made the key, where it is known; whoever made it can have kept it.
    known_access : what is said of single models, where it is known already; None: it is read when something depends on it.
    """

    user: User
    scopes: frozenset[str] | None = None
    models: frozenset[str] | None = None
    key_id: str | None = None
    key_expires_at: datetime | None = None
    key_made_by: UUID | None = None
    known_access: ModelAccess | None = None

    @cached_property
    def access(self) -> ModelAccess:
        return read_access(self.user) if self.known_access is None else self.known_access

    @cached_property
    def holds_keys_of(self) -> frozenset[UUID]:
        """The others for whom this one ever made a key, and as whom they may have acted."""
        made = APIKey.objects.filter(created_by_id=self.user.pk).exclude(user_id=self.user.pk)
        return frozenset(made.order_by().values_list("user_id", flat=True))

    @cached_property
    def invitations(self) -> tuple[Acceptance, ...]:
        """Who came by an admin's invitation, whose, and when; for as long as invitations are kept."""
        return acceptances()


@dataclass(frozen=True, slots=True)
class ModelReach:
    """Which models are there for somebody.

    only : names of the models that their key is limited to; None: all.
    hidden : names of restricted models on which they were granted nothing.
    """

    only: frozenset[str] | None
    hidden: frozenset[str]


@dataclass(frozen=True, slots=True)
class LogReach:
    """Whose predictions somebody may read, None: everybody's; and of which models."""

    user_id: UUID | None
    models: ModelReach


def principal_of(request: Any) -> Principal:
    """Return the principal of an authenticated request, of Django or of DRF; one and the same for the whole request."""
    key, base = getattr(request, "auth", None), getattr(request, "_request", request)
    kept: Principal | None = getattr(base, KEPT, None)
    if kept is None or kept.user is not request.user or kept.key_id != getattr(key, "key_id", None):
        kept = _principal(request.user, key)
        setattr(base, KEPT, kept)
    return kept


def is_allowed(principal: Principal, action: Action, *, model: str | None = None) -> bool:
    """Whether the principal may do this, to this model if one is named."""
    if not principal.user.is_active:
        return False
    if principal.scopes is not None and action not in _granted(principal.scopes):
        return False
    if model is None:
        return action in ACTIONS_OF_ROLE[principal.user.role]
    return is_visible(principal, model) and action in _actions_on(principal, model)


def is_visible(principal: Principal, model: str) -> bool:
    """Whether the model is there at all for this principal; what is not visible is answered as not there."""
    is_on_list = principal.models is None or model in principal.models
    return is_on_list and Action.READ in _actions_on(principal, model)


def model_reach(principal: Principal) -> ModelReach:
    """Return which models are there for the principal: `is_visible`, for lists."""
    return ModelReach(only=principal.models, hidden=frozenset() if _is_admin(principal) else principal.access.hidden)


def may_manage(principal: Principal, role: str) -> bool:
    """Whether the principal may make, change or remove somebody of this role: nobody makes a role above their own."""
    return is_allowed(principal, Action.MANAGE) and _rank(role) <= _rank(principal.user.role)


def may_reset_second_factor(principal: Principal, user: User) -> bool:
    """Whether the principal may take away a second factor that somebody has lost.

    Security: nobody takes their own: a key or a session that was found takes it from nobody without being asked for it.
    """
    return principal.user.pk != user.pk and may_manage(principal, user.role)


def managed_roles(principal: Principal) -> list[str]:
    """Return the roles of those whom the principal manages: `may_manage`, for lists."""
    return [role for role in Role.values if may_manage(principal, role)]


def may_see_keys(principal: Principal, owner: User) -> bool:
    """Whether the principal may see and end somebody's keys: their own, and those of whom they manage."""
    return _is_self(principal, owner) or may_manage(principal, owner.role)


def may_hold_keys(principal: Principal, owner: User) -> bool:
    """Whether the principal may get a key that is somebody's, new or rolled.

    Security: whoever gets it can act as its owner. So it is one's own, or that of somebody below; a service account is nobody to be
    acted as, so that one may have it up to one's own role.
    """
    if _is_self(principal, owner):
        return True
    is_below = _rank(owner.role) < _rank(principal.user.role) or not owner.is_person
    return is_below and may_manage(principal, owner.role)


def may_give_key(principal: Principal, *, scopes: Iterable[str], models: Iterable[str] | None) -> bool:
    """Whether a key may have these scopes and models: no more than the key or the token that asks for it."""
    wanted = _granted(scopes)
    has_scopes = principal.scopes is None or wanted <= _granted(principal.scopes)
    return has_scopes and (principal.models is None or (models is not None and principal.models.issuperset(models)))


def may_change_model(principal: Principal, *, model: str, author_id: UUID) -> bool:
    """Whether the principal may describe a model: who registered it, who was granted to push to it, and who promotes."""
    is_theirs = principal.user.pk == author_id or Action.PUSH in principal.access.granted_on(model)
    return is_allowed(principal, Action.PROMOTE, model=model) or (
        is_theirs and is_allowed(principal, Action.PUSH, model=model)
    )


def may_change_version(principal: Principal, *, model: str, author_id: UUID) -> bool:
    """Whether the principal may describe a version anew, or delete it: its author may, and whoever promotes the model's."""
    is_author = principal.user.pk == author_id and is_allowed(principal, Action.PUSH, model=model)
    return is_author or is_allowed(principal, Action.PROMOTE, model=model)


def may_approve(principal: Principal, *, model: str, requested_by: User, now: datetime) -> bool:
    """Whether the principal is a second pair of eyes: a person, entitled to promote, and not who answers for the first pair.

    Security: nobody is two people by a key: neither who made a key for whoever asked, nor who comes with a key that another made.
    Nor by invitations to addresses of their own (`newcomers`).
    """
    is_another = principal.user.pk not in (requested_by.pk, requested_by.responsible_id)
    is_themselves = principal.user.is_person and principal.key_made_by in (None, principal.user.pk)
    if not (is_another and is_themselves and is_allowed(principal, Action.PROMOTE, model=model)):
        return False
    came_with = came_together(principal.user.pk, principal.invitations, now=now)
    return requested_by.pk not in principal.holds_keys_of and requested_by.pk not in came_with


def may_read_audit(principal: Principal) -> bool:
    """Whether the principal may read who changed what: an admin, by no key that is limited to some models, since it is of all."""
    return principal.models is None and is_allowed(principal, Action.READ_AUDIT)


def log_reach(principal: Principal) -> LogReach:
    """Return how much of the log is there for the principal: an admin's is the tenant's, anybody else's their own."""
    is_whole = is_allowed(principal, Action.READ_WHOLE_LOG)
    return LogReach(user_id=None if is_whole else principal.user.id, models=model_reach(principal))


def _principal(user: User, shown: Any) -> Principal:
    if isinstance(shown, AccessToken):
        return Principal(user=user, scopes=shown.scopes)
    if not isinstance(shown, APIKey):
        return Principal(user=user)
    return Principal(
        user=user,
        scopes=frozenset(shown.scopes),
        models=None if shown.model_names is None else frozenset(shown.model_names),
        key_id=shown.key_id,
        key_expires_at=shown.expires_at,
        key_made_by=shown.created_by_id,
    )


def _actions_on(principal: Principal, model: str) -> frozenset[str]:
    """Return what role and grants give on a model, whatever key is used. Who decides over grants is not narrowed by them."""
    of_role = ACTIONS_OF_ROLE[principal.user.role]
    if _is_admin(principal):
        return of_role
    granted, narrowed = principal.access.granted_on(model), of_role
    if model in principal.access.restricted:
        narrowed = of_role - ON_MODELS
    return narrowed | granted | {Action.READ} if granted else narrowed


def _is_admin(principal: Principal) -> bool:
    return Action.MANAGE in ACTIONS_OF_ROLE[principal.user.role]


def _is_self(principal: Principal, owner: User) -> bool:
    return principal.user.pk == owner.pk and is_allowed(principal, Action.MANAGE_SELF)


def _rank(role: str) -> int:
    return Role.values.index(role)


def _granted(scopes: Iterable[str]) -> frozenset[Action]:
    return frozenset[Action]().union(*(ACTIONS_OF_SCOPE.get(scope, frozenset()) for scope in scopes))
