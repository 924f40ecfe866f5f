"""The mail that an invitation goes by. It is queued in the invitation's own transaction, and the worker sends it."""

from datetime import datetime

from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import get_script_prefix
from procrastinate.contrib.django import app

from foretell.accounts.invitations import is_valid, token_of
from foretell.accounts.models import Invitation
from foretell.core.tenancy import current_tenant

TASK = "foretell.accounts.tasks.send_invitation"
PATH = "accounts/invitation/"
TEXT = """{who} invites you to {tenant} on Foretell, as {role}.

Choose your name and password here:

    {link}

The link is for you alone, works once, and until {until:%d %B %Y, %H:%M} UTC. If you expected no invitation, leave it be: nothing happens.
"""


def base_of(request: HttpRequest) -> str:
    """Return the address of the tenant's root, as the request came to it.

    Security: for who manages the tenant, and asks with a credential; for what strangers ask, there is `tenants.mail_links`.
    """
    return request.build_absolute_uri(get_script_prefix())


def link_of(invitation: Invitation, *, base: str) -> str:
    return f"{base}{PATH}{token_of(invitation)}/"


def post_invitation(invitation: Invitation, *, base: str) -> None:
    """Queue the mail. Security: the queue knows the invitation's id, and the link is made when it is sent."""
    app.configure_task(TASK).defer(tenant=str(current_tenant().id), invitation=str(invitation.pk), base=base)


def send(invitation: Invitation, *, base: str, now: datetime) -> bool:
    """Send the mail, unless the invitation is over meanwhile; return whether it went."""
    if not is_valid(invitation, now=now):
        return False
    tenant = str(current_tenant().name)
    text = TEXT.format(
        who=invitation.invited_by.username if invitation.invited_by else "The operator", tenant=tenant, role=invitation.get_role_display(),
        link=link_of(invitation, base=base), until=invitation.expires_at,
    )  # fmt: skip
    EmailMessage(subject=f"Invitation to {tenant}", body=text, to=[invitation.email]).send()
    return True
