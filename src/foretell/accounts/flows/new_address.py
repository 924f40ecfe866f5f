"""Another e-mail address for somebody: they ask for it, and have it once they enter the code that was sent there (`verifying`).

Until then their own stays theirs, for sign-ins, resets and mails: neither a typo nor a mail that does not come locks anybody out.
"""

from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from django.db import transaction
from django.http import HttpRequest

from foretell.accounts.flows.limits import take_address
from foretell.accounts.folding import folded
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, Principal, is_allowed
from foretell.audit.recording import record
from foretell.refusals import NotAllowed


def ask(user: User, email: str) -> None:
    """Note the address that somebody wants. Their own, in whatever capitals, is theirs at once, and takes back what they asked for."""
    if folded(email) == user.email_key:
        user.email, user.pending_email = email, ""
    else:
        user.pending_email = email


def record_asked(user: User, *, before: str) -> None:
    """Charge and write down what was asked for, or taken back.

    Security: nobody looks here whether somebody else has the address: a colleague's is answered, and charged, like any other.

    Raises
    ------
    Throttled
    """
    if user.pending_email == before:
        return
    if user.pending_email:
        take_address(user_id=user.pk)
    record(
        action="user.email_change_requested" if user.pending_email else "user.email_change_withdrawn",
        target=("user", str(user.pk)), name=user.username,
        before={"pending_email": before}, after={"pending_email": user.pending_email},
    )  # fmt: skip


@transaction.atomic
def withdraw(*, by: Principal) -> User:
    """Take back what one asked for.

    Raises
    ------
    NotAllowed
    """
    if not is_allowed(by, Action.MANAGE_SELF):
        raise NotAllowed
    user = User.objects.select_for_update(of=("self",)).get(pk=by.user.pk)
    before, user.pending_email = user.pending_email, ""
    user.save(update_fields=["pending_email", "updated_at"])
    record_asked(user, before=before)
    return user


def is_anothers(email: str, *, user: User) -> bool:
    """Whether somebody else has verified this address. Security: for who has the code that was sent there, and for nobody else."""
    others = User.objects.filter(email_key=folded(email), email_verified_at__isnull=False).exclude(pk=user.pk)
    return others.exists()


def send_code(request: HttpRequest, user: User) -> bool:
    """Send a code to the address that awaits one, to be entered in the session at hand; False where none does.

    Raises
    ------
    Throttled
    """
    email = user.pending_email or ("" if user.email_verified_at else user.email)
    return bool(email) and bool(EmailVerificationProcess.initiate(request=request, user=user, email=email).did_send)
