"""Mails of account flows: written down with what they are about, and sent by the worker, so that nobody waits for a mail server."""

from datetime import datetime, timedelta
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import transaction
from procrastinate.contrib.django import app

from foretell.accounts.flows.models import OutgoingMail
from foretell.core.tenancy import current_tenant

TASK = "foretell.accounts.flows.tasks.send_mail"
KEPT_FOR = timedelta(days=1)  # a mail that cannot be sent for so long is of no use any more


@transaction.atomic
def post(*, to: str, subject: str, body: str) -> OutgoingMail:
    """Write a mail down, and queue it."""
    mail = OutgoingMail.objects.create(to=to, subject=subject[:250], body=body)
    app.configure_task(TASK).defer(tenant=str(current_tenant().id), mail=str(mail.pk))
    return mail


def send(mail_id: UUID) -> bool:
    """Send a mail, and forget it; return whether it was still there."""
    mail = OutgoingMail.objects.filter(pk=mail_id).first()
    if mail is None:
        return False
    EmailMessage(subject=mail.subject, body=mail.body, to=[mail.to]).send()
    mail.delete()
    return True


def forget(*, now: datetime) -> int:
    """Forget mails that could not be sent."""
    return OutgoingMail.objects.filter(created_at__lt=now - KEPT_FOR).delete()[0]
