"""How the installation does: its checks, its disk, its worker; and each tenant: its schema, its last prediction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from shutil import disk_usage
from typing import Any

import structlog
from django.conf import settings
from django.core.paginator import Paginator
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from psycopg import sql

from foretell.core.tenancy import as_owner, use_public
from foretell.segments.lag import drain_lag
from foretell.tenants.models import Tenant
from foretell.tenants.schemas import missing_of
from foretell.tenants.services import state_of

log = structlog.get_logger(__name__)

Check = Callable[[], str | None]  # None where all is well, else what is wrong, in words
ROWS_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    detail: str
    is_well: bool = True


@dataclass(frozen=True, slots=True)
class TenantHealth:
    """missing : migrations that its schema lacks."""

    tenant: Tenant
    state: str
    missing: int
    last_prediction_at: datetime | None


def health_view(site: Any) -> Callable[..., HttpResponse]:
    def health(request: HttpRequest) -> HttpResponse:
        page = Paginator(Tenant.objects.order_by("name"), ROWS_PER_PAGE).get_page(request.GET.get("page"))
        context = {
            **site.each_context(request), "title": _("Health"), "page": page,
            "facts": [*checked(site.checks), *measured()], "tenants": of_tenants(list(page)),
        }  # fmt: skip
        return render(request, "foretell_admin/health.html", context)

    return health


def checked(checks: Mapping[str, Check]) -> list[Fact]:
    """Return what the checks of /readyz say. A check that breaks is something that is wrong."""
    return [_outcome(name, check) for name, check in checks.items()]


def measured() -> list[Fact]:
    lag, disk = drain_lag(settings.PREDICTION_LOG_ROOT), disk_usage(settings.FORETELL_HOME)
    return [
        Fact(_("waits to be drained"), _("%(n)s bytes in %(k)s segments, the oldest for %(s).0f s") % {
            "n": f"{lag.n_bytes:,}", "k": lag.n_segments, "s": lag.age_s,
        }),
        Fact(_("disk"), _("%(free).1f of %(all).1f GB are free") % {"free": disk.free / 1e9, "all": disk.total / 1e9}),
        Fact(_("last heard of a worker"), _heartbeat()),
    ]  # fmt: skip


def of_tenants(tenants: Sequence[Tenant]) -> list[TenantHealth]:
    """Return how these do, in a constant number of queries."""
    missing = missing_of([tenant.schema_name for tenant in tenants])
    last = last_predictions([name for name, count in missing.items() if not count])
    return [
        TenantHealth(tenant, state_of(tenant), missing[tenant.schema_name], last.get(tenant.schema_name))
        for tenant in tenants
    ]


def last_predictions(schema_names: Sequence[str]) -> dict[str, datetime | None]:
    """Return when each of these tenants was last asked, as far as the log was drained."""
    if not schema_names:
        return {}
    looks = sql.SQL(" UNION ALL ").join(_look(name) for name in schema_names)
    with use_public(), as_owner(), connection.cursor() as cursor:
        cursor.execute(looks)
        return dict(cursor.fetchall())


def _look(schema_name: str) -> sql.Composed:
    """Security: the name of a schema, which is ours, as an identifier; the newest row by the primary key, and nothing else of it."""
    table = sql.Identifier(schema_name, "monitoring_prediction")
    return sql.SQL("SELECT {name}, (SELECT at FROM {table} ORDER BY id DESC LIMIT 1)").format(
        name=sql.Literal(schema_name), table=table
    )


def _heartbeat() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers")
        (age_s,) = cursor.fetchone()
    return _("never") if age_s is None else _("%(s).0f s ago") % {"s": age_s}


def _outcome(name: str, check: Check) -> Fact:
    try:
        trouble = check()
    except Exception as err:
        log.warning("a check of health failed", check=name, exc_info=err)
        trouble = type(err).__name__
    return Fact(name, trouble or _("ok"), is_well=trouble is None)
