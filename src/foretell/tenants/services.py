"""Making and suspending tenants; `deleting` ends them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from foretell.addresses import normalised_host
from foretell.audit.recording import record
from foretell.core.tenancy import as_owner, use_public
from foretell.errors import ForetellError
from foretell.tenants.cloning import create_schema
from foretell.tenants.models import Domain, LogPolicy, Plan, Tenant
from foretell.tenants.roles import ensure_role

MAX_RETENTION_DAYS = 36_500
MAX_REASON_CHARS = 200


class TenantExists(ForetellError):
    code = "tenant_exists"
    kind = "conflict"


class TenantNotFound(ForetellError):
    code = "tenant_not_found"
    kind = "not_found"


class InvalidTenant(ForetellError):
    code = "invalid_tenant"
    kind = "invalid"


def create_tenant(*, name: str, domains: Sequence[str] = (), plan: Plan | None = None) -> Tenant:
    """Make a tenant with its schema and role, reachable at ``<name>.<base domain>``, at `domains` and below ``/t/<name>/``.

    All of it or nothing, also when this process is killed in the middle: PostgreSQL's schemas and roles are transactional.

    Raises
    ------
    InvalidTenant
        for a name or a domain that is none.
    TenantExists
        for a name or a domain that is taken.
    """
    hosts = hosts_of(name, domains)
    tenant = Tenant(name=name, plan=plan)
    validate(tenant)
    with use_public():
        add_tenant(tenant, hosts)
    return tenant


def add_tenant(tenant: Tenant, hosts: Sequence[str]) -> None:
    """Write the row of a tenant that is none yet, with its domains, schema and role, in one transaction."""
    try:
        with transaction.atomic():
            _refuse_taken(tenant.name, hosts)
            tenant.save(force_insert=True)
            for position, host in enumerate(hosts):
                Domain.objects.create(tenant=tenant, domain=host, is_primary=position == 0)
            create_schema(tenant.schema_name)
            with as_owner():
                ensure_role(tenant.schema_name)
            record(action="tenant.created", target=target_of(tenant), name=tenant.name, after=_as_made(tenant, hosts))
    except IntegrityError as err:  # Race condition: another process took the name or a domain since we looked
        raise TenantExists(f"{tenant.name!r} or one of its domains was taken this moment. Choose another one.") from err


def target_of(tenant: Tenant) -> tuple[str, str]:
    """Return what the audit calls a tenant."""
    return "tenant", str(tenant.pk)


def get_tenant(name: str) -> Tenant:
    with use_public():
        tenant = Tenant.objects.filter(name=name).first()
    if tenant is None:
        raise TenantNotFound(f"There is no tenant {name!r}. `foretell tenant list` shows those there are.")
    return tenant


def list_tenants() -> list[Tenant]:
    with use_public():
        return list(Tenant.objects.prefetch_related("domains"))


def suspend_tenant(*, tenant: Tenant, now: datetime, reason: str = "", until: datetime | None = None) -> None:
    """Answer 403 to all of its requests from now on, or until then; its data stays as it is.

    Raises
    ------
    InvalidTenant
    """
    if until is not None and until <= now:
        raise InvalidTenant(f"A suspension until {until:%Y-%m-%d %H:%M} is over already. Give a time to come.")
    if len(reason) > MAX_REASON_CHARS:
        raise InvalidTenant(f"The reason has {len(reason)} characters; expected at most {MAX_REASON_CHARS}.")
    change_state(
        tenant, "tenant.suspended", suspended_at=now, suspended_reason=reason, suspended_until=until, delete_after=None
    )


def resume_tenant(*, tenant: Tenant) -> None:
    """Serve a tenant again that was suspended, or is to be deleted and is there yet."""
    change_state(
        tenant, "tenant.resumed", suspended_at=None, suspended_reason="", suspended_until=None, delete_after=None
    )


def resume_due(*, now: datetime) -> int:
    """Serve those again whose suspension is over; return how many."""
    with use_public():
        due = list(Tenant.objects.due_to_resume(now))
    for tenant in due:
        resume_tenant(tenant=tenant)
    return len(due)


def change_state(tenant: Tenant, action: str, **state: Any) -> None:
    """Write whether a tenant is served, and tell the audit. Race condition: the row is locked, so that what is told was so."""
    with use_public(), transaction.atomic():
        before = Tenant.objects.select_for_update(of=("self",)).filter(pk=tenant.pk).first()
        for name, value in state.items():
            setattr(tenant, name, value)
        tenant.save(update_fields=[*state, "updated_at"])
        record(
            action=action, target=target_of(tenant), name=tenant.name, before=_state(before or tenant), after=_state(tenant)
        )  # fmt: skip


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
    before = _log_of(tenant)
    tenant.log_policy = policy or tenant.log_policy
    tenant.log_retention_days = retention_days or tenant.log_retention_days
    with use_public(), transaction.atomic():
        tenant.save(update_fields=["log_policy", "log_retention_days", "updated_at"])
        record(
            action="tenant.log_changed",
            target=target_of(tenant),
            name=tenant.name,
            before=before,
            after=_log_of(tenant),
        )


def _log_of(tenant: Tenant) -> dict[str, Any]:
    return {"log_policy": tenant.log_policy, "log_retention_days": tenant.log_retention_days}


def _state(tenant: Tenant) -> dict[str, Any]:
    suspension = {"reason": tenant.suspended_reason, "until": tenant.suspended_until} if tenant.suspended_at else {}
    deletion = {"delete_after": tenant.delete_after} if tenant.delete_after else {}
    return {"state": state_of(tenant), **suspension, **deletion}


def state_of(tenant: Tenant) -> str:
    """Return `active`, `suspended` or, where it is suspended until it is deleted, `deleting`."""
    if tenant.delete_after is not None:
        return "deleting"
    return "suspended" if tenant.is_suspended else "active"


def _as_made(tenant: Tenant, hosts: Sequence[str]) -> dict[str, Any]:
    plan = {"plan": tenant.plan.name} if tenant.plan else {}
    return {"name": tenant.name, "domains": list(hosts), "schema": tenant.schema_name, **plan}


def hosts_of(name: str, domains: Sequence[str]) -> list[str]:
    hosts = []
    for domain in (f"{name}.{settings.BASE_DOMAIN}", *domains):
        host = normalised_host(domain)
        if host is None:
            raise InvalidTenant(f"{domain!r} is not a host name. Expected one such as acme.example.com.")
        if host == settings.OPERATORS_HOST:
            raise InvalidTenant(
                f"{domain!r} is where the operators' admin is (FORETELL_OPERATORS_HOST). Choose another one."
            )
        hosts.append(host)
    return list(dict.fromkeys(hosts))


def validate(tenant: Tenant) -> None:
    try:
        tenant.clean_fields()
    except ValidationError as err:
        raise InvalidTenant(f"{tenant.name!r} cannot be a tenant's name. {' '.join(err.messages)}") from err


def _refuse_taken(name: str, hosts: Sequence[str]) -> None:
    if Tenant.objects.filter(name=name).exists():
        raise TenantExists(f"There is a tenant {name!r} already. Choose another name.")
    taken = Domain.objects.filter(domain__in=list(hosts)).values_list("domain", flat=True).first()
    if taken:
        raise TenantExists(f"The domain {taken!r} leads to another tenant already. Choose another one.")
