"""What the worker does for the prediction log, beside draining it."""

import structlog
from django.utils import timezone

from foretell.core.tenancy import current_tenant
from foretell.monitoring.retention import delete_expired
from foretell.tenants.tasks import each_tenant_task

log = structlog.get_logger(__name__)


@each_tenant_task(cron="23 * * * *", queueing_lock="delete_expired_predictions")
def delete_expired_predictions() -> None:
    """Every hour: what is older than the tenant keeps."""
    if deleted := delete_expired(days=current_tenant().log_retention_days, now=timezone.now()):
        log.info("expired predictions deleted", count=deleted)
