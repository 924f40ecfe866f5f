"""What the worker does for people."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.utils import timezone
from procrastinate import RetryStrategy

from foretell.accounts import invitation_mail
from foretell.accounts.models import Invitation
from foretell.audit.refusals import write_down_counts
from foretell.tenants.tasks import each_tenant_task, tenant_task

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=90)  # invitations that are over; the audit keeps that they were


@tenant_task(retry=RetryStrategy(max_attempts=6, exponential_wait=4))
def send_invitation(*, invitation: str, base: str) -> None:
    """Send an invitation's mail; where the mail server is away, again in a while."""
    found = Invitation.objects.select_related("invited_by").filter(pk=UUID(invitation)).first()
    if found is None or not invitation_mail.send(found, base=base, now=timezone.now()):
        log.info("an invitation is over, and was not sent", invitation=invitation)


@each_tenant_task(cron="29 3 * * *", queueing_lock="forget_invitations")
def forget_invitations() -> None:
    """Every night: invitations that are over since long."""
    Invitation.objects.filter(expires_at__lt=timezone.now() - KEPT_FOR).delete()


@each_tenant_task(cron="41 * * * *", queueing_lock="write_down_refusals")
def write_down_refusals() -> None:
    """Every hour: how many refusals were only counted, where nobody tried again."""
    write_down_counts(now=timezone.now())
