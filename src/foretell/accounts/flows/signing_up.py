"""Signing up: an account with the least role, whose address is to be verified before it opens anything."""

from dataclasses import replace

from django.db import transaction

from foretell.accounts.errors import AccountExists, AddressTaken
from foretell.accounts.flows.joining import SignUpClosed, is_open
from foretell.accounts.flows.limits import take_sign_up
from foretell.accounts.folding import folded
from foretell.accounts.models import User
from foretell.accounts.people import NAME_TAKEN, create_user
from foretell.audit.actors import acting, current_actor
from foretell.audit.recording import record


def sign_up(*, username: str, email: str, password: str, client: str) -> User | None:
    """Make an account for whoever asks; None where the address is somebody's already.

    Security: for an address that is known the password is hashed as well, and the caller goes on alike: who asks learns nothing, and
    whose address it is gets a mail. That a name is taken is told, since names are chosen.

    Raises
    ------
    SignUpClosed, Throttled, InvalidAccount, AccountExists
    """
    if not is_open():
        raise SignUpClosed
    take_sign_up(client=client)
    if User.objects.filter(username_key=folded(username)).exists():  # Optimization: no hash for a name that is taken
        raise AccountExists(NAME_TAKEN)
    try:
        return _made(username, email, password)
    except AddressTaken:
        return None


@transaction.atomic
def _made(username: str, email: str, password: str) -> User:
    with acting(replace(current_actor(), name=username)):
        user = create_user(username=username, email=email, password=password, is_email_verified=False)
        record(
            action="user.signed_up",
            target=("user", str(user.pk)),
            name=user.username,
            after={"username": user.username},
        )
    return user
