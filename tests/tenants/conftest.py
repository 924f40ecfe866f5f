from collections.abc import Iterator

import pytest

from foretell.core.tenancy import use_public
from tests.cast import Cast


@pytest.fixture
def only_the_cast(cast: Cast) -> Iterator[None]:
    """Take away what tenants and plans a test made, whether it passed or not."""
    from foretell.tenants.deleting import delete_tenant
    from foretell.tenants.models import Plan, Tenant
    from foretell.tenants.schemas import current_schemas

    yield
    current_schemas.forget()
    with use_public():
        made = list(Tenant.objects.exclude(name__in=["acme", "globex"]))
        Tenant.objects.update(plan=None)
        Plan.objects.all().delete()
    for tenant in made:
        delete_tenant(tenant=tenant)
