"""Making, suspending and deleting tenants."""

import shutil
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from foretell.addresses import normalised_host
from foretell.core.tenancy import use_public
from foretell.errors import ForetellError
from foretell.tenants.models import Domain, LogPolicy, Tenant

MAX_RETENTION_DAYS = 36_500


class TenantExists(ForetellError):
    code = "tenant_exists"
    kind = "conflict"


class TenantNotFound(ForetellError):
    code = "tenant_not_found"
    kind = "not_found"


class InvalidTenant(ForetellError):
    code = "invalid_tenant"
    kind = "invalid"


def create_tenant(*, name: str, domains: Sequence[str] = ()) -> Tenant:
    """Make a tenant with its schema, reachable at ``<name>.<base domain>``, at `domains` and below ``/t/<name>/``.

    All of it or nothing, also when this process is killed in the middle: PostgreSQL's schemas are transactional.

    Raises
    ------
    InvalidTenant
        for a name or a domain that is none.
    TenantExists
        for a name or a domain that is taken.
    """
    hosts = _hosts(name, domains)
    tenant = Tenant(name=name)
    _validate(tenant)
    tenant.auto_create_schema = False  # made below: `save` hides a failure behind its own cleaning up
    try:
        with use_public(), transaction.atomic():
            _refuse_taken(name, hosts)
            tenant.save()
            for position, host in enumerate(hosts):
                Domain.objects.create(tenant=tenant, domain=host, is_primary=position == 0)
            tenant.create_schema(verbosity=0)
    except IntegrityError as err:  # Race condition: another process took the name or a domain since we looked
        raise TenantExists(f"{name!r} or one of its domains was taken this moment. Choose another one.") from err
    return tenant


def get_tenant(name: str) -> Tenant:
    with use_public():
        tenant = Tenant.objects.filter(name=name).first()
    if tenant is None:
        raise TenantNotFound(f"There is no tenant {name!r}. `foretell tenant list` shows those there are.")
    return tenant


def list_tenants() -> list[Tenant]:
    with use_public():
        return list(Tenant.objects.prefetch_related("domains"))


def suspend_tenant(*, tenant: Tenant, now: datetime) -> None:
    """Answer 403 to all of its requests from now on; its data stays as it is."""
    _set_suspended(tenant, now)


def resume_tenant(*, tenant: Tenant) -> None:
    _set_suspended(tenant, None)


def set_log(*, tenant: Tenant, policy: str | None = None, retention_days: int | None = None) -> None:
    """Change what happens to predictions that cannot be logged, and for how long the log is kept; None: as it is.

    Raises
    ------
    InvalidTenant
    """
    if policy is not None and policy not in LogPolicy.values:
        raise InvalidTenant(f"{policy!r} is no policy of the log; expected {' or '.join(LogPolicy.values)}.")
    if retention_days is not None and not 1 <= retention_days <= MAX_RETENTION_DAYS:
        raise InvalidTenant(f"The log is kept for {retention_days} days; expected 1 to {MAX_RETENTION_DAYS}.")
    tenant.log_policy = policy or tenant.log_policy
    tenant.log_retention_days = retention_days or tenant.log_retention_days
    with use_public():
        tenant.save(update_fields=["log_policy", "log_retention_days", "updated_at"])


def delete_tenant(*, tenant: Tenant) -> None:
    """Delete the tenant with its schema and its artifacts, for good. Asking whether that is meant is the caller's part."""
    artifacts = settings.ARTIFACT_ROOT / str(tenant.id)
    with use_public(), transaction.atomic():
        tenant.delete()
    shutil.rmtree(artifacts, ignore_errors=True)


def _set_suspended(tenant: Tenant, at: datetime | None) -> None:
    with use_public():
        tenant.suspended_at = at
        tenant.save(update_fields=["suspended_at", "updated_at"])


def _hosts(name: str, domains: Sequence[str]) -> list[str]:
    hosts = []
    for domain in (f"{name}.{settings.BASE_DOMAIN}", *domains):
        host = normalised_host(domain)
        if host is None:
            raise InvalidTenant(f"{domain!r} is not a host name. Expected one such as acme.example.com.")
        hosts.append(host)
    return list(dict.fromkeys(hosts))


def _validate(tenant: Tenant) -> None:
    try:
        tenant.clean_fields()
    except ValidationError as err:
        raise InvalidTenant(f"{tenant.name!r} cannot be a tenant's name. {' '.join(err.messages)}") from err


def _refuse_taken(name: str, hosts: list[str]) -> None:
    if Tenant.objects.filter(name=name).exists():
        raise TenantExists(f"There is a tenant {name!r} already. Choose another name.")
    taken = Domain.objects.filter(domain__in=hosts).values_list("domain", flat=True).first()
    if taken:
        raise TenantExists(f"The domain {taken!r} leads to another tenant already. Choose another one.")
