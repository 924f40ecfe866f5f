"""Which limits hold for whom: of the installation, or the tenant's own. The lane and Django's views take from the same buckets."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from foretell.accounts.permissions import Principal
from foretell.core.tenancy import current_tenant
from foretell.limits import Claim, Decision, Limiter, Policy, Quotas, Rate, SharedMemoryLimiter, Throttled, claim_for
from foretell.tenants.limits import quota_of, rate_of

log = structlog.get_logger(__name__)

KINDS = ("key", "user", "tenant")
Ledger = Callable[[datetime], tuple[int, int]]  # requests and rows, since then, of the tenant at hand

_ledgers: list[Ledger] = []
_seeded: set[tuple[UUID, int, int]] = set()


class ModelScope(NamedTuple):
    """A model, and the named limit that its predictions take from beside their caller's own."""

    model: str
    scope: str


@cache
def limiter() -> Limiter:
    """Return the limiter of this installation: of this host, or of all hosts where there is Redis."""
    run = settings.FORETELL_HOME / "run"
    local = SharedMemoryLimiter(run / "limits")
    if not settings.REDIS_URL:
        return local
    from foretell.limits.redis import RedisLimiter

    return RedisLimiter(settings.REDIS_URL, local=local, leases=run / "leases", hosts=settings.LIMIT_HOSTS)


@cache
def quotas() -> Quotas:
    return Quotas(settings.FORETELL_HOME / "run" / "quotas")


def claims_of(principal: Principal, model_scope: ModelScope | None = None, *, tenant: Any = None) -> tuple[Claim, ...]:
    """Return all that a request of this principal takes from; of the tenant at hand, unless one is given."""
    tenant = tenant or current_tenant()
    ids = {"key": principal.key_id, "user": str(principal.user.pk), "tenant": ""}
    claims = [
        claim_for(str(tenant.id), kind, identifier, _policy(kind, rate))
        for kind in KINDS
        if (identifier := ids[kind]) is not None and (rate := rate_of(tenant.limits, kind)) is not None
    ]
    scoped = scope_claim(str(tenant.id), ids["user"] or "", model_scope) if model_scope else None
    return (*claims, scoped) if scoped else tuple(claims)


def scope_claim(tenant_id: str, user_id: str, model_scope: ModelScope) -> Claim | None:
    """Return what predictions of a model with a named limit take from: counted for each user and model."""
    model, scope = model_scope
    rate = settings.LIMIT_SCOPES.get(scope)
    if rate is None:
        _warn_of_missing(scope)
        return None
    return claim_for(tenant_id, f"scope {scope}", f"{user_id} {model}", _policy(scope, rate))


def take(principal: Principal, model_scope: ModelScope | None = None) -> Decision | None:
    """Take one request from every limit of the principal.

    Raises
    ------
    Throttled
    """
    decision = limiter().take(claims_of(principal, model_scope))
    if decision is not None and not decision.allowed:
        raise Throttled(decision)
    return decision


def take_quota(*, rows: int, tenant: Any = None, now: datetime | None = None) -> None:
    """Count a prediction's rows against the tenant's month, where it has a quota.

    Raises
    ------
    QuotaExceeded
    """
    tenant, now = tenant or current_tenant(), now or timezone.now()
    requests_limit, rows_limit = (
        quota_of(tenant.limits, "requests_per_month"),
        quota_of(tenant.limits, "rows_per_month"),
    )
    if requests_limit is None and rows_limit is None:
        return
    if (tenant.id, now.year, now.month) not in _seeded:
        seed_quota(tenant=tenant, now=now)
    quotas().take(str(tenant.id), now=now, requests_limit=requests_limit, rows_limit=rows_limit, rows=rows)


def seed_quota(*, tenant: Any, now: datetime) -> None:
    """Bring the month's counters to what the ledgers know, in the tenant's schema; they lag behind, and lower nothing."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for ledger in _ledgers:
        requests, rows = ledger(month)
        quotas().seed(str(tenant.id), now=now, requests=requests, rows=rows)
    _seeded.add((tenant.id, now.year, now.month))


def forget_tenant(tenant_id: UUID) -> None:
    """Let go of what is counted of a tenant that is gone."""
    quotas().forget(str(tenant_id))
    _seeded.difference_update([seeded for seeded in list(_seeded) if seeded[0] == tenant_id])


def forget_all() -> None:
    """Begin with full buckets and with nothing counted, as after the loss of the files."""
    limiter().clear()
    quotas().clear()
    _seeded.clear()


def use_ledger(ledger: Ledger) -> None:
    """Let a ledger tell what was used in a month, where this host's own counters do not know."""
    _ledgers.append(ledger)


@lru_cache(maxsize=1_024)
def _policy(name: str, rate: Rate) -> Policy:
    return Policy(name, rate)


@cache
def _warn_of_missing(scope: str) -> None:
    log.warning("a model names a limit that FORETELL_LIMIT_SCOPES does not; its predictions have none", scope=scope)
