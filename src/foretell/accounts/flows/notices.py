"""What somebody is told by mail when their way in was changed, whatever face it was changed at: so that they see when it was not they."""

from django.utils import timezone

from foretell.accounts.flows import outbox
from foretell.accounts.models import User
from foretell.audit.actors import current_actor
from foretell.core.tenancy import current_tenant

TEXT = """{what}

At {tenant} on Foretell, {now:%d %B %Y, %H:%M} UTC{where}.

If it was not you, choose another password at once, and sign out everywhere; if you cannot sign in, ask an admin of your team.
"""

SECOND_FACTOR = {
    "mfa.activated": "an authenticator app was set up for your account",
    "mfa.deactivated": "the authenticator app of your account was taken off",
    "mfa.passkey_added": "a passkey was added to your account",
    "mfa.passkey_removed": "a passkey of your account was removed",
    "mfa.reset": "your second factors were taken away by whoever manages your team",
}
ENDED = "You are signed out everywhere else, and tokens have ended."


def tell_of_password(user: User) -> None:
    """Tell somebody that their password was changed, where their address is known to be theirs."""
    if user.email_verified_at is not None:
        _tell(
            user.email,
            "your password was changed",
            f"{user.username}, your password was changed. Sessions and tokens have ended.",
        )


def tell_of_address(user: User, *, before: str) -> None:
    """Tell the address of before that it is not theirs any more."""
    _tell(
        before,
        "your address was changed",
        f"{user.username}, your e-mail address is now {user.email}. Nothing more is sent to this one.",
    )


def tell_of_second_factor(user: User, what: str) -> None:
    """Tell somebody what was done to their second factors, by the name that the audit has for it."""
    if user.email_verified_at is not None:
        _tell(user.email, "your second factor was changed", f"{user.username}, {SECOND_FACTOR[what]}. {ENDED}")


def tell_of_recovery_code(user: User) -> None:
    """Tell somebody that a recovery code was used, which is rare, and what whoever found the list would do."""
    if user.email_verified_at is not None:
        _tell(user.email, "a recovery code was used", f"{user.username}, a recovery code of your account was used.")


def _tell(to: str, subject: str, what: str) -> None:
    tenant, address = current_tenant().name, current_actor().address
    text = TEXT.format(what=what, tenant=tenant, now=timezone.now(), where=f", from {address}" if address else "")
    outbox.post(to=to, subject=f"{tenant}: {subject}", body=text)
