"""That mail reaches somebody: they have entered the code, or followed the link, that was sent to them."""

from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction

from foretell.accounts.errors import AddressTaken, NoPerson
from foretell.accounts.flows.models import PendingSignUp
from foretell.accounts.flows.notices import tell_of_address
from foretell.accounts.flows.signing_up import give_way
from foretell.accounts.folding import folded
from foretell.accounts.models import User
from foretell.audit.actors import Actor, Credential, acting, current_actor
from foretell.audit.recording import record


@transaction.atomic
def verify_email(*, user: User, email: str, now: datetime) -> bool:
    """Write down that an address is its owner's: the one that they have, or the one that they asked for, which replaces it.

    False where it is neither any more, was verified meanwhile, or is somebody else's by now: whoever verifies it first has it.

    Race condition: the row is held, and the address compared, so that a code for an address of before verifies no other, and of
    several requests with one code one is the first.
    """
    with acting(by_mail(user)):
        if folded(email) != user.email_key:
            give_way(email=email, now=now)  # before the row is held: it holds the owners', in their order
        found = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        is_theirs = found.is_active and _verified(found, folded(email), now)
    user.refresh_from_db(fields=["email", "email_key", "email_verified_at", "pending_email"])
    return is_theirs


@transaction.atomic
def vouch_for(*, user: User, now: datetime) -> User:
    """Take an operator's word for the address that somebody asked for, else for the one they have; a verified one stays as it is.

    Raises
    ------
    NoPerson, AddressTaken
    """
    found = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not found.is_person:
        raise NoPerson(f"{found.username} is a service account: it has no address.")
    if found.pending_email and not _replace(found, now):
        raise AddressTaken(f"{found.email} is somebody else's by now.")
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


def _verified(user: User, key: str, now: datetime) -> bool:
    if user.pending_email and key == folded(user.pending_email):
        return _replace(user, now)
    if key != user.email_key or user.email_verified_at is not None:
        return False
    mark_verified(user, now)
    return True


def _replace(user: User, now: datetime) -> bool:
    """Give somebody whose row is held the address that they asked for, and tell the one of before; False where it is taken."""
    before, was_verified = user.email, user.email_verified_at is not None
    user.email, user.pending_email, user.email_verified_at = user.pending_email, "", now
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_key", "pending_email", "email_verified_at", "updated_at"])
    except IntegrityError:
        return False
    after = {"email": user.email, "email_verified_at": now}
    record(
        action="user.email_changed",
        target=("user", str(user.pk)),
        name=user.username,
        before={"email": before},
        after=after,
    )
    if was_verified:
        tell_of_address(user, before=before)
    return True


def by_mail(user: User) -> Actor:
    """Say that somebody acts by what was sent to their address."""
    return replace(current_actor(), user_id=str(user.pk), name=user.username, credential=Credential.LINK)
