"""Which tenants have a row of some kind: one query for many schemas, where a query for each would take a hundred times as long."""

from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from foretell.core.tenancy import as_owner, use_public
from foretell.tenants.models import Tenant

SCHEMAS_AT_ONCE = (
    100  # of one query: it locks a table and its indexes in each, and the server's table of locks is finite
)

log = structlog.get_logger(__name__)


def tenants_with(rows: QuerySet[Any]) -> list[Tenant]:
    """Return the tenants, those that are suspended left out, in whose own table `rows` finds one; `rows` itself is not run."""
    with use_public(), as_owner():
        tenants = list(Tenant.objects.filter(suspended_at=None))
        parts = [tenants[at : at + SCHEMAS_AT_ONCE] for at in range(0, len(tenants), SCHEMAS_AT_ONCE)]
        return [tenant for part in parts for tenant in _found(part, rows)]


def _found(tenants: Sequence[Tenant], rows: QuerySet[Any]) -> Iterator[Tenant]:
    """Yield those of these tenants. A schema that cannot be asked, since it is behind or half made, is left out and logged."""
    try:
        yield from _asked(tenants, rows)
    except DatabaseError as err:
        if len(tenants) == 1:
            log.warning("a tenant cannot be looked at", tenant=tenants[0].name, error=str(err).strip())
            return
        middle = len(tenants) // 2
        yield from _found(tenants[:middle], rows)
        yield from _found(tenants[middle:], rows)


def _asked(tenants: Sequence[Tenant], rows: QuerySet[Any]) -> list[Tenant]:
    table = connection.ops.quote_name(rows.model._meta.db_table)
    one, values = rows.order_by().values("pk")[:1].query.sql_with_params()
    each = [
        f"SELECT {position} WHERE EXISTS ({one.replace(table, f'{connection.ops.quote_name(tenant.schema_name)}.{table}')})"
        for position, tenant in enumerate(tenants)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each), values * len(tenants))
        return [tenants[position] for (position,) in cursor.fetchall()]
