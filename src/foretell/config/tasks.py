"""What the worker does for the installation as a whole, beside the tenants' own tasks."""

import structlog
from django.utils import timezone

from foretell.audit.anchors import keep_anchors
from foretell.config.deleting import delete_everywhere
from foretell.core.tenancy import PUBLIC
from foretell.tenants.deleting import due_to_delete, sweep_orphans
from foretell.tenants.services import list_tenants, resume_due
from foretell.tenants.tasks import installation_task

log = structlog.get_logger(__name__)


@installation_task(cron="* * * * *", queueing_lock="resume_tenants")
def resume_tenants() -> None:
    """Every minute: serve those again whose suspension is over."""
    if resumed := resume_due(now=timezone.now()):
        log.info("suspensions ended", tenants=resumed)


@installation_task(cron="*/10 * * * *", queueing_lock="anchor_audits")
def anchor_audits() -> None:
    """Every ten minutes: keep outside the database how far each audit has come."""
    broken = keep_anchors(chains_of=[PUBLIC, *list_tenants()], now=timezone.now())
    if broken:
        log.error("audits are not as they were: run `foretell audit verify`", schemas=broken)


@installation_task(cron="*/5 * * * *", queueing_lock="delete_tenants")
def delete_tenants() -> None:
    """Every five minutes: delete those whose time of grace is over, and what was written behind a deletion."""
    now = timezone.now()
    for tenant in due_to_delete(now=now):
        delete_everywhere(tenant=tenant)
        log.info("a tenant was deleted, as was asked for before", tenant=tenant.name)
    sweep_orphans(now=now)
