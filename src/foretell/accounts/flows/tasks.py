"""What the worker does for account flows."""

from uuid import UUID

import structlog
from django.utils import timezone
from procrastinate import RetryStrategy

from foretell.accounts.flows import outbox, resetting, sessions, signing_up
from foretell.tenants.tasks import each_tenant_task, tenant_task

log = structlog.get_logger(__name__)


@tenant_task(retry=RetryStrategy(max_attempts=6, exponential_wait=4))
def send_mail(*, mail: str) -> None:
    """Send a mail; where the mail server is away, again in a while."""
    outbox.send(UUID(mail))


@tenant_task(retry=RetryStrategy(max_attempts=6, exponential_wait=4))
def send_reset(*, about: str, base: str) -> None:
    """Send the mail that somebody asked for who has no password, or does not know it; for nobody, nothing."""
    resetting.send(about=UUID(about), base=base, now=timezone.now())


@each_tenant_task(cron="53 3 * * *", queueing_lock="forget_mails")
def forget_mails() -> None:
    """Every night: mails that could not be sent."""
    if forgotten := outbox.forget(now=timezone.now()):
        log.warning("mails could not be sent for a day, and are forgotten", count=forgotten)


@each_tenant_task(cron="11 4 * * *", queueing_lock="forget_unverified")
def forget_unverified() -> None:
    """Every night: sign-ups whose address nobody verified."""
    if forgotten := signing_up.forget_unverified(now=timezone.now()):
        log.info("sign-ups were not verified for a week, and are forgotten", count=forgotten)


@each_tenant_task(cron="37 4 * * *", queueing_lock="forget_sessions")
def forget_sessions() -> None:
    """Every night: browsers' sessions that are over."""
    sessions.forget_expired(now=timezone.now())
