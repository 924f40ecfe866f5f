"""From an address to a tenant, asking the database: by exact host name, or by the prefix ``/t/<name>/``."""

from django.conf import settings

from foretell.addresses import normalised_host
from foretell.core.tenancy import use_public
from foretell.tenants.models import Tenant


def tenant_of_host(header: str) -> Tenant | None:
    """Find the tenant by its domain; one at ``<name>.<base domain>`` also after the base domain was changed."""
    host = normalised_host(header)
    if host is None:
        return None
    with use_public():
        found = Tenant.objects.filter(domains__domain=host).first()
    name = host.removesuffix(f".{settings.BASE_DOMAIN}")
    return found or (tenant_named(name) if name != host else None)


def tenant_named(name: str) -> Tenant | None:
    with use_public():
        return Tenant.objects.filter(name=name).first()
