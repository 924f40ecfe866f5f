"""A new password for who has none, or does not know it: by a link to their address, in one tenant, once, for four hours.

Security: asking does the same work for everybody: two look-ups, and one job for the worker, which for nobody does nothing.
"""

from datetime import datetime
from uuid import UUID

from allauth.account.utils import user_pk_to_url_str
from django.core.mail import EmailMessage
from django.db import transaction
from procrastinate.contrib.django import app

from foretell.accounts import invitation_mail
from foretell.accounts.flows.limits import take_reset
from foretell.accounts.flows.reset_tokens import reset_tokens
from foretell.accounts.flows.verifying import by_mail, mark_verified
from foretell.accounts.folding import folded
from foretell.accounts.models import Invitation, User
from foretell.accounts.people import change_password
from foretell.audit.actors import acting
from foretell.audit.recording import record
from foretell.core.tenancy import current_tenant
from foretell.errors import ForetellError
from foretell.ids import uuid7

TASK = "foretell.accounts.flows.tasks.send_reset"
PATH = "accounts/password/reset/key/"
TEXT = """Somebody, most likely you, asks for a new password for {username} at {tenant} on Foretell.

Choose it here:

    {link}

The link works once, and for four hours. If you did not ask, leave it be: nothing changes.
"""


class ResetOver(ForetellError):
    """One answer for all: forged, of another tenant, expired, used, of somebody whose access ended."""

    code = "reset_over"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "This link is not valid, or not any more: it works once, in one tenant, for four hours. Ask for another one."
        )


def request_reset(*, email: str, base: str, client: str) -> None:
    """Have a mail sent to whose address this is, be it a member's or that of somebody who is invited.

    base : the address of the tenant's root.

    Raises
    ------
    Throttled
    """
    take_reset(email=email, client=client)
    key = folded(email)
    member = User.objects.filter(email_key=key, is_active=True, is_person=True).values_list("pk", flat=True).first()
    invited = Invitation.objects.open().filter(email_key=key).values_list("pk", flat=True).first()
    app.configure_task(TASK).defer(tenant=str(current_tenant().id), about=str(member or invited or uuid7()), base=base)


def send(*, about: UUID, base: str, now: datetime) -> bool:
    """Send the mail; return whether there was anybody to send it to."""
    user = User.objects.filter(pk=about, is_active=True, is_person=True).first()
    if user is not None:
        text = TEXT.format(username=user.username, tenant=current_tenant().name, link=link_of(user, base=base))
        EmailMessage(subject=f"A new password for {current_tenant().name}", body=text, to=[user.email]).send()
        return True
    invitation = Invitation.objects.select_related("invited_by").filter(pk=about).first()
    return invitation is not None and invitation_mail.send(invitation, base=base, now=now)


def link_of(user: User, *, base: str) -> str:
    return f"{base}{PATH}{user_pk_to_url_str(user)}-{reset_tokens.make_token(user)}/"


@transaction.atomic
def reset_password(*, user: User, token: str, password: str, now: datetime) -> None:
    """Give somebody the password that they chose behind the link; it ends their sessions and tokens, and verifies their address.

    Raises
    ------
    ResetOver
        Race condition: the row is held, so that one link sets one password.
    InvalidAccount
    """
    found = User.objects.select_for_update(of=("self",)).filter(pk=user.pk).first()
    if found is None or not reset_tokens.check_token(found, token):
        raise ResetOver
    with acting(by_mail(found)):
        change_password(user=found, password=password)
        record(action="user.password_reset", target=("user", str(found.pk)), name=found.username)
        if found.email_verified_at is None:
            mark_verified(found, now)
