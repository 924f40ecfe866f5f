"""That mail reaches somebody: they have entered the code, or followed the link, that was sent to them."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from foretell.accounts.errors import NoPerson
from foretell.accounts.flows.models import PendingSignUp
from foretell.accounts.folding import folded
from foretell.accounts.models import User
from foretell.audit.actors import Actor, Credential, acting, current_actor
from foretell.audit.recording import record


@transaction.atomic
def verify_email(*, user: User, email: str, now: datetime) -> bool:
    """Write down that an address is its owner's; False where it is not their address any more, or was verified meanwhile.

    Race condition: the row is held, and the address compared, so that a code for an address of before verifies no other, and of
    several requests with one code one is the first.
    """
    found = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if folded(found.email) != folded(email) or not found.is_active or found.email_verified_at is not None:
        return False
    with acting(by_mail(found)):
        mark_verified(found, now)
    user.email_verified_at = found.email_verified_at
    return True


@transaction.atomic
def vouch_for(*, user: User, now: datetime) -> User:
    """Take an operator's word for an address; one that is verified stays as it is.

    Raises
    ------
    NoPerson
    """
    found = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not found.is_person:
        raise NoPerson(f"{found.username} is a service account: it has no address.")
    if found.email_verified_at is None:
        mark_verified(found, now)
    return found


def mark_verified(user: User, now: datetime) -> None:
    """Verify the address of somebody whose row is held."""
    user.email_verified_at = now
    user.save(update_fields=["email_verified_at", "updated_at"])
    PendingSignUp.objects.filter(user=user).delete()
    record(
        action="user.email_verified", target=("user", str(user.pk)), name=user.username,
        before={"email_verified_at": None}, after={"email": user.email, "email_verified_at": now},
    )  # fmt: skip


def by_mail(user: User) -> Actor:
    """Say that somebody acts by what was sent to their address."""
    return replace(current_actor(), user_id=str(user.pk), name=user.username, credential=Credential.LINK)
