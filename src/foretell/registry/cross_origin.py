"""Which sites' pages may read the tenant's API: who manages the tenant says so."""

from collections.abc import Callable, Sequence

from django.db import transaction

from foretell.audit.recording import record
from foretell.core.cross_origin.models import AllowedOrigin
from foretell.core.tenancy import current_tenant


def allowed_origins() -> list[str]:
    return list(AllowedOrigin.objects.values_list("origin", flat=True))


@transaction.atomic
def allow_origins(*, origins: Sequence[str], precondition: Callable[[list[str]], None]) -> list[str]:
    """Let pages of these origins read the API, and of no other; none is none."""
    before = [row.origin for row in AllowedOrigin.objects.select_for_update()]
    precondition(before)
    AllowedOrigin.objects.all().delete()
    AllowedOrigin.objects.bulk_create([AllowedOrigin(origin=origin) for origin in sorted(set(origins))])
    after, tenant = allowed_origins(), current_tenant()
    record(
        action="tenant.cors_changed", target=("tenant", str(tenant.id)), name=tenant.name,
        before={"settings": {"cors_origins": before}}, after={"settings": {"cors_origins": after}},
    )  # fmt: skip
    return after
