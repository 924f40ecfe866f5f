"""Tells the audit who a request comes from, by which credential, and what it is about to do."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from foretell.accounts.models import APIKey
from foretell.accounts.permissions import Action
from foretell.accounts.tokens.claims import AccessToken
from foretell.audit import actors
from foretell.audit.actors import Credential
from foretell.audit.refusals import SAFE, attempting


def identify_caller(request: Any) -> None:
    """Say whose authenticated request it is, of Django or of DRF."""
    credential, credential_id = _credential(request)
    actors.identify(
        user_id=str(request.user.pk), name=request.user.username, credential=credential, credential_id=credential_id
    )


def announce(request: Any, action: Action, kwargs: Mapping[str, Any]) -> None:
    """Say what a write is about to do, so that it is known where it is refused. Predictions have a log of their own."""
    if request.method in SAFE:
        return
    match = request.resolver_match
    target = target_of(kwargs) or ("route", match.view_name if match is not None else request.path_info)
    attempting(action.value, target, is_recorded=action is not Action.PREDICT)


def target_of(kwargs: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what an address names, as rows of the audit call it; None where it names nothing."""
    if "name" in kwargs:
        if "alias" in kwargs:
            return "alias", f"{kwargs['name']}@{kwargs['alias']}"
        if "number" in kwargs:
            return "version", f"{kwargs['name']}:{kwargs['number']}"
        return "model", str(kwargs["name"])
    return next(((name.removesuffix("_id"), str(value)) for name, value in kwargs.items()), None)


def _credential(request: Any) -> tuple[Credential, str]:
    shown = getattr(request, "auth", None)
    if isinstance(shown, APIKey):
        return Credential.KEY, shown.key_id
    if isinstance(shown, AccessToken):
        return Credential.TOKEN, shown.id
    is_basic = isinstance(request, Request) and getattr(request.successful_authenticator, "shows_credentials", False)
    return (Credential.PASSWORD if is_basic else Credential.SESSION), ""
