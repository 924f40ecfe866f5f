"""Signing up: an account with the least role, whose address is to be verified before it opens anything."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from foretell.accounts.errors import AccountExists, AddressTaken
from foretell.accounts.flows.joining import SignUpClosed, is_open
from foretell.accounts.flows.limits import take_sign_up
from foretell.accounts.flows.models import PendingSignUp
from foretell.accounts.folding import folded
from foretell.accounts.members import remove_user
from foretell.accounts.models import User
from foretell.accounts.people import NAME_TAKEN, create_user
from foretell.audit.actors import acting, current_actor
from foretell.audit.recording import record

KEPT_FOR = timedelta(days=7)  # a name, for whoever does not verify their address


def sign_up(*, username: str, email: str, password: str, client: str) -> User | None:
    """Make an account for whoever asks; None where the address is somebody's already.

    Security: for an address that is known the password is hashed as well, the name is taken as well, and the caller goes on alike: who
    asks learns nothing, and whose address it is gets a mail. That a name is taken is told, since people choose names.

    Raises
    ------
    SignUpClosed, Throttled, InvalidAccount, AccountExists
    """
    if not is_open():
        raise SignUpClosed
    take_sign_up(client=client)
    if _is_taken(username):  # Optimization: no lock for a name that is taken
        raise AccountExists(NAME_TAKEN)
    return _signed_up(username, email, password)


def awaits_verification(user: User) -> bool:
    """Whether somebody signed up, and has not shown yet that mail reaches them.

    Security: until they have, their password is a wrong one, at every face. Whoever signs up with another's address has no account that a
    password could open; were there one for an address that is nobody's, signing in would tell the two apart.
    """
    return PendingSignUp.objects.filter(user=user).exists()


@transaction.atomic
def forget_unverified(*, now: datetime) -> int:
    """Let names go that were taken in sign-ups a week ago, and the accounts whose address nobody has verified since."""
    over = list(PendingSignUp.objects.select_related("user").filter(created_at__lt=now - KEPT_FOR))
    for pending in over:
        _forget(pending, now)
    return len(over)


@transaction.atomic
def give_way(*, email: str, now: datetime) -> None:
    """Take back a sign-up with an address that somebody else has just shown to be theirs: by an invitation's link, or a provider's word.

    Security: else whoever signs up with the addresses of people who are about to come would keep them out.
    """
    for pending in PendingSignUp.objects.select_related("user").filter(user__email_key=folded(email)):
        _forget(pending, now)


def _forget(pending: PendingSignUp, now: datetime) -> None:
    """Let a name go, and its account where nobody has ever come in by it."""
    pending.delete()
    if pending.user is not None and _was_never_used(pending.user):
        remove_user(user=pending.user, now=now)


@transaction.atomic
def _signed_up(username: str, email: str, password: str) -> User | None:
    """Take the name, then make the account. Race condition: whoever wants the same name waits here, and hashes nothing."""
    pending = _reserved(username)
    try:
        pending.user = _made(username, email, password)
    except AddressTaken:
        return None
    pending.save(update_fields=["user", "updated_at"])
    return pending.user


@transaction.atomic
def _made(username: str, email: str, password: str) -> User:
    with acting(replace(current_actor(), name=username)):
        user = create_user(username=username, email=email, password=password, is_email_verified=False)
        after = {"username": user.username}
        record(action="user.signed_up", target=("user", str(user.pk)), name=user.username, after=after)
    return user


def _is_taken(username: str) -> bool:
    is_pending = PendingSignUp.objects.filter(pk=_key(username)).exists()
    return User.objects.filter(username_key=_key(username)).exists() or is_pending


def _reserved(username: str) -> PendingSignUp:
    try:
        with transaction.atomic():
            return PendingSignUp.objects.create(username_key=_key(username))
    except IntegrityError as err:
        raise AccountExists(NAME_TAKEN) from err


def _key(username: str) -> str:
    return folded(User.normalize_username(username))


def _was_never_used(user: User) -> bool:
    is_as_it_was = user.removed_at is None and user.email_verified_at is None and user.last_login is None
    return is_as_it_was and not user.api_keys.exists()
