"""Who may do what. The one file that decides; views, pages, tasks and the command line ask it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from foretell.accounts.models import APIKey, User
from foretell.accounts.roles import Role, Scope
from foretell.accounts.tokens.claims import AccessToken


class Action(StrEnum):
    IDENTIFY = "identify"  # ask who one is
    READ = "read"  # see models, versions, aliases
    PREDICT = "predict"
    PUSH = "push"  # make models and versions
    PROMOTE = "promote"  # move aliases, archive models
    MANAGE = "manage"  # people and their keys
    READ_LOG = "read_log"  # one's own predictions
    READ_WHOLE_LOG = "read_whole_log"  # everybody's


_VIEWER = frozenset({Action.IDENTIFY, Action.READ, Action.PREDICT, Action.READ_LOG})
_EDITOR = _VIEWER | {Action.PUSH}
_ADMIN = _EDITOR | {Action.PROMOTE, Action.MANAGE, Action.READ_WHOLE_LOG}

ACTIONS_OF_ROLE: dict[str, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.EDITOR: _EDITOR,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN,
}
ACTIONS_OF_SCOPE: dict[str, frozenset[Action]] = {
    Scope.PREDICT: frozenset({Action.IDENTIFY, Action.PREDICT}),
    Scope.MODELS_READ: frozenset({Action.IDENTIFY, Action.READ, Action.READ_LOG}),
    Scope.MODELS_WRITE: frozenset({Action.IDENTIFY, Action.READ, Action.PUSH, Action.PROMOTE}),
    Scope.JOBS: frozenset({Action.IDENTIFY}),
    Scope.ADMIN: frozenset(Action),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from: a person, narrowed by the key that was used."""

    user: User
    scopes: frozenset[str] | None = None  #: of the key or the token; None: neither, or no narrowing
    models: frozenset[str] | None = None  #: names of the models that the key is limited to; None: all
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class LogReach:
    """Whose predictions somebody may read, and of which models; None: all."""

    user_id: UUID | None
    models: frozenset[str] | None


def principal_of(request: Any) -> Principal:
    """Return the principal of an authenticated request, of Django or of DRF."""
    key = getattr(request, "auth", None)
    if isinstance(key, AccessToken):
        return Principal(user=request.user, scopes=key.scopes)
    if not isinstance(key, APIKey):
        return Principal(user=request.user)
    return Principal(
        user=request.user,
        scopes=frozenset(key.scopes),
        models=None if key.model_names is None else frozenset(key.model_names),
        key_id=key.key_id,
    )


def is_allowed(principal: Principal, action: Action, *, model: str | None = None) -> bool:
    """Whether the principal may do this, to this model if one is named."""
    if not principal.user.is_active or action not in ACTIONS_OF_ROLE[principal.user.role]:
        return False
    if principal.scopes is not None and action not in _granted(principal.scopes):
        return False
    return model is None or is_visible(principal, model)


def is_visible(principal: Principal, model: str) -> bool:
    """Whether the model is there at all for this principal; what is not visible is answered as not there."""
    return principal.models is None or model in principal.models


def may_manage(principal: Principal, role: str) -> bool:
    """Whether the principal may make, change or remove somebody of this role: nobody makes a role above their own."""
    order = list(Role.values)
    return is_allowed(principal, Action.MANAGE) and order.index(role) <= order.index(principal.user.role)


def may_change_version(principal: Principal, *, model: str, author_id: UUID) -> bool:
    """Whether the principal may describe a version anew, or delete it: its author may, and whoever promotes the model's."""
    is_author = principal.user.pk == author_id and is_allowed(principal, Action.PUSH, model=model)
    return is_author or is_allowed(principal, Action.PROMOTE, model=model)


def log_reach(principal: Principal) -> LogReach:
    """Return how much of the log is there for the principal: an admin's is the tenant's, anybody else's their own."""
    is_whole = is_allowed(principal, Action.READ_WHOLE_LOG)
    return LogReach(user_id=None if is_whole else principal.user.id, models=principal.models)


def _granted(scopes: Iterable[str]) -> frozenset[Action]:
    return frozenset[Action]().union(*(ACTIONS_OF_SCOPE.get(scope, frozenset()) for scope in scopes))
