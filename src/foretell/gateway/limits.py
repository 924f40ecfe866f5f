"""The limits beside those in a principal's own claims: named ones of models, and the month's quotas. None asks the database."""

from collections.abc import Sequence

from django.utils import timezone

from foretell.accounts.limiting import ModelScope, quotas, scope_claim
from foretell.limits import Claim
from foretell.serving.catalogue import Model, Principal, Tenant


class TenantLimits:
    """Implements `serving.ports.Limits`, over the counters that Django's views take from."""

    def scope_claims(self, tenant: Tenant, principal: Principal, model: Model) -> Sequence[Claim]:
        claim = scope_claim(tenant.id, principal.user_id, ModelScope(model.name, model.limit_scope))
        return () if claim is None else (claim,)

    def take_quota(self, tenant: Tenant, *, rows: int) -> None:
        """Count a prediction's rows against the tenant's month.

        Raises
        ------
        QuotaExceeded
        """
        quotas().take(
            tenant.id, now=timezone.now(), requests_limit=tenant.requests_per_month, rows_limit=tenant.rows_per_month, rows=rows
        )  # fmt: skip
