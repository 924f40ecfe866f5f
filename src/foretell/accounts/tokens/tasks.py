"""What the worker does for tokens."""

import structlog
from django.utils import timezone

from foretell.accounts.tokens.services import clean_up
from foretell.tenants.tasks import each_tenant_task

log = structlog.get_logger(__name__)


@each_tenant_task(cron="17 * * * *", queueing_lock="clean_up_tokens")
def clean_up_tokens() -> None:
    """Every hour: the next signing key where it is due, and rows of tokens that are over."""
    if deleted := clean_up(now=timezone.now()):
        log.info("expired tokens deleted", count=deleted)
