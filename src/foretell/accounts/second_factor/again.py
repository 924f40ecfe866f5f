"""Showing once more who one is, before what lets one in is changed: who has a second factor shows that, and who has no password signs in again.

Security: allauth takes the password. Whoever found an open session, and knows the password, would take the second factor off with it.
"""

from collections.abc import Sequence
from typing import Any

from allauth.account import app_settings
from allauth.account.internal.flows import reauthentication
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from foretell.accounts.second_factor.services import has_second_factor

BY_PASSWORD = "reauthenticate"  # noqa: S105  allauth's name of the way
_ways = reauthentication.get_reauthentication_flows
_did_recently = reauthentication.did_recently_reauthenticate


def ways(user: Any) -> list[dict[str, Any]]:
    """Return how somebody may show it: by their second factor, where they have one."""
    found: list[dict[str, Any]] = _ways(user)
    return [way for way in found if way["id"] != BY_PASSWORD] if _has_one(user) else found


def did_recently(request: HttpRequest) -> bool:
    """Whether somebody has shown it a moment ago; who has no way to here, by the sign-in itself.

    Security: allauth asks nothing of who signs in by an identity provider alone. Whoever found their open session would add a passkey of
    their own to it, and stay for good.
    """
    if not _has_one(request.user):
        return bool(_did_recently(request)) if ways(request.user) else _came_recently(request)
    shown = [one["at"] for one in get_authentication_records(request, request.user) if _is_by_factor(one)]
    return _is_recent(shown)


@receiver(authenticator_added, dispatch_uid="foretell.second_factor.shown")
def shown(request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    """Take it for shown by whoever has just set it up: the first code was seen, and recovery codes come next."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        record_authentication(request, user, "mfa", type=authenticator.type, reauthenticated=True)


def _came_recently(request: HttpRequest) -> bool:
    return _is_recent([one["at"] for one in get_authentication_records(request, request.user)])


def _is_recent(times: Sequence[float]) -> bool:
    return bool(times) and timezone.now().timestamp() - max(times) < app_settings.REAUTHENTICATION_TIMEOUT


def _has_one(user: Any) -> bool:
    return user.is_authenticated and has_second_factor(user)


def _is_by_factor(record: dict[str, Any]) -> bool:
    return record["method"] == "mfa" and bool(record.get("reauthenticated"))
