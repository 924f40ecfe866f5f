"""Writes down that somebody signed in or out in a browser. Django, and whatever builds on it, says so by signals only."""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.dispatch import receiver

from foretell.accounts.flows.sessions import forget_current
from foretell.accounts.models import User
from foretell.audit import actors
from foretell.audit.actors import Credential
from foretell.audit.recording import record


@receiver(user_logged_in, dispatch_uid="foretell.accounts.signed_in")
def signed_in(user: Any, request: Any = None, **_: Any) -> None:
    """Stop the sign-in where it cannot be written down: the session is not saved yet."""
    if isinstance(user, User):
        _identify(user, _shown(request, user))
        _record("session.started", user)


@receiver(user_logged_out, dispatch_uid="foretell.accounts.signed_out")
def signed_out(user: Any, request: Any = None, **_: Any) -> None:
    if isinstance(user, User):
        _identify(user, Credential.SESSION)
        _record("session.ended", user)
        forget_current(request)


def _shown(request: Any, user: User) -> Credential:
    """Return what a sign-in was begun with; the second step of one is no way in of its own."""
    steps = get_authentication_records(request, user) if request is not None else []
    begun = [step for step in steps if step["method"] != "mfa" or step.get("passwordless")]
    if begun and begun[-1]["method"] == "socialaccount":
        return Credential.PROVIDER
    return Credential.PASSKEY if begun and begun[-1]["method"] == "mfa" else Credential.PASSWORD


def _identify(user: User, credential: Credential) -> None:
    actors.identify(user_id=str(user.pk), name=user.username, credential=credential)


@transaction.atomic
def _record(action: str, user: User) -> None:
    record(action=action, target=("session", str(user.pk)), name=user.username)
