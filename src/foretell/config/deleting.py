"""The end of a tenant everywhere: what `tenants.deleting` cannot know of, since it is kept by the rooms above."""

from django.conf import settings

from foretell.accounts import limiting
from foretell.gateway.forgetting import forget_on_disk
from foretell.metrics.process_files import forget_tenant as forget_counted
from foretell.monitoring.forgetting import forget_records
from foretell.tenants.deleting import delete_tenant
from foretell.tenants.models import Tenant


def delete_everywhere(*, tenant: Tenant) -> None:
    """Delete the tenant and all that is kept of it on this host; web processes forget it within a second."""
    delete_tenant(tenant=tenant)
    forget_records(settings.PREDICTION_LOG_ROOT, tenant_id=str(tenant.pk))
    forget_on_disk(settings.FORETELL_HOME / "catalogue", tenant_id=str(tenant.pk))
    forget_counted(settings.METRICS_ROOT, tenant=tenant.name)
    limiting.forget_tenant(tenant.pk)
