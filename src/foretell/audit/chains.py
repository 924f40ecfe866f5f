"""The chain at hand: a tenant's within its schema, the installation's in the public one; and its head, which is kept apart."""

from datetime import datetime
from typing import Any

from foretell.audit.entries import AuditEntry, EntryQuerySet
from foretell.audit.installation.models import ChainHead, InstallationEntry
from foretell.audit.models import Entry
from foretell.core.tenancy import PUBLIC_SCHEMA, NoTenant, active, current_tenant, use_public


def schema_name() -> str:
    tenant = active()
    if tenant is None:
        raise NoTenant
    return str(tenant.schema_name)


def chain_id() -> str:
    """Return what the chain at hand is called in its seals: a tenant's id, or `public`."""
    return PUBLIC_SCHEMA if schema_name() == PUBLIC_SCHEMA else str(current_tenant().id)


def entry_model() -> type[AuditEntry]:
    return InstallationEntry if schema_name() == PUBLIC_SCHEMA else Entry


def entries() -> EntryQuerySet:
    found: Any = entry_model()._default_manager.all()
    queryset: EntryQuerySet = found
    return queryset


def head() -> ChainHead:
    """Return where the chain at hand ends; one that has no row yet ends before its first."""
    name = schema_name()
    with use_public():
        return ChainHead.objects.filter(schema_name=name).first() or ChainHead(schema_name=name)


def last_before(moment: datetime) -> Any:
    """Return the last row such that it and all before it are older than `moment`; None where there is none."""
    first_kept = entries().filter(at__gte=moment).order_by("position").values_list("position", flat=True).first()
    rows = entries().order_by("-position")
    return (rows.filter(position__lt=first_kept) if first_kept is not None else rows).first()
