"""Who has a second factor, and taking one away from somebody who has lost it."""

from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction

from foretell.accounts.flows.notices import tell_of_second_factor
from foretell.accounts.models import User
from foretell.accounts.permissions import Principal, may_reset_second_factor
from foretell.accounts.tokens.services import end_all
from foretell.audit.recording import record
from foretell.errors import ForetellError
from foretell.refusals import NotAllowed

#: What is asked for beside the password; recovery codes only stand in for one of them.
ASKED_FOR = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class NoSecondFactor(ForetellError):
    code = "no_second_factor"
    kind = "conflict"

    def __init__(self, username: str) -> None:
        super().__init__(f"{username} has no second factor: there is nothing to take away.")


def has_second_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=ASKED_FOR).exists())


def codes_left(user_id: UUID) -> int:
    """Return how many of somebody's recovery codes were not used yet."""
    row = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.RECOVERY_CODES).first()
    return 0 if row is None else len(row.wrap().get_unused_codes())


@transaction.atomic
def reset_second_factor(*, user: User, by: Principal | None = None) -> None:
    """Take all second factors of somebody away, for whoever has lost them: the password alone lets them in from now on.

    Security: their sessions and tokens end, since who lost a device may have lost an open session with it.

    Raises
    ------
    NotAllowed, NoSecondFactor
    """
    if by is not None and not may_reset_second_factor(by, user):
        raise NotAllowed("You may take a second factor from others only, and from nobody whose role is above your own.")
    found = list(Authenticator.objects.select_for_update().filter(user_id=user.pk).order_by("pk"))
    if not found:
        raise NoSecondFactor(user.username)
    forget_second_factors(user)
    end_all(user=user)
    record(action="mfa.reset", target=("user", str(user.pk)), name=user.username)
    tell_of_second_factor(user, "mfa.reset")


def forget_second_factors(user: User) -> None:
    """Delete what is kept of somebody's second factors; the caller holds a transaction."""
    for row in Authenticator.objects.filter(user_id=user.pk).select_related("user").order_by("pk"):
        row.delete()
