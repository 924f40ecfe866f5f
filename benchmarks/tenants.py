"""What a tenant costs to make, to find and to migrate, with one and with a thousand: `python benchmarks/tenants.py [--tenants 1000] [--jobs 2]`.

Without a server: the services that the command line calls, over the embedded PostgreSQL. To be migrated is one app's table, taken away from every schema before.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from goals import Verdict
from results import Table, keep

TENANTS, LOOKUPS, ROUNDS = 1_000, 200, 5
MADE_WITHIN_S, AS_FAST = 0.5, 1.2  # a fifth more is what two rounds of the same differ by
APP, TABLE = "idempotency", "idempotency_keptanswer"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_const", const=20, dest="tenants", help="with 20, shown only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foretell-tenants-") as home:
        Path(home).chmod(0o711)
        os.environ |= {
            "FORETELL_HOME": home,
            "DJANGO_SETTINGS_MODULE": "foretell.config.settings",
            "LOG_LEVEL": "ERROR",
        }
        import django

        django.setup()
        from foretell.embedded.database import running_database

        with running_database():
            found = measure(asked.tenants, asked.jobs)
    keep("tenants", verdicts=verdicts(found), tables=[table(found)], is_whole=asked.tenants >= TENANTS)


def measure(tenants: int, jobs: int) -> "Found":
    from django.db import connection, connections

    from foretell.config.migrating import migrate

    migrate()
    first = made(0)
    alone_us = lookup_us()
    seconds = [first, *(made(number) for number in range(1, tenants))]
    among_us, plain_us, role_us = lookup_us(), query_us(roles=False), query_us(roles=True)
    let_behind()
    took, outcome = timed(lambda: migrate(jobs=jobs))
    again = timed(lambda: migrate(jobs=jobs))[0]
    connection.close()
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has a pool
    return Found(
        seconds, alone_us, among_us, plain_us, role_us, jobs, took, outcome.n_done, len(outcome.failures), again
    )


class Found(NamedTuple):
    """What was measured.

    made_s : what each tenant took to make, in their order.
    alone_us, among_us : what a look-up by host takes, with one tenant and with all of them.
    plain_us, role_us : what a query takes by the search path alone, and with the tenant's role.
    migrated_s, n_migrated, n_failed : of all schemas, by `jobs` processes side by side; again_s: with nothing to do.
    """

    made_s: list[float]
    alone_us: float
    among_us: float
    plain_us: float
    role_us: float
    jobs: int
    migrated_s: float
    n_migrated: int
    n_failed: int
    again_s: float


def verdicts(found: Found) -> dict[str, Verdict]:
    n_tenants, slow = len(found.made_s), quantile(found.made_s, 0.99)
    made = f"{statistics.median(found.made_s):.2f} s, 99 % within {slow:.2f} s"
    migrated = f"{found.n_migrated:,} in {found.migrated_s:.0f} s by {found.jobs} processes, {found.n_failed} failed"
    looked_up = f"{found.alone_us:.0f} µs with one, {found.among_us:.0f} µs with {n_tenants:,}"
    return {
        "tenants_made": Verdict(made, slow <= MADE_WITHIN_S),
        "tenants_migrated": Verdict(migrated, found.n_failed == 0 and found.n_migrated >= n_tenants),
        "tenants_found": Verdict(looked_up, found.among_us <= found.alone_us * AS_FAST),
    }


def table(found: Found) -> Table:
    first, last = (statistics.median(part) * 1e3 for part in (found.made_s[:100], found.made_s[-100:]))
    rows = [
        ("making one: median, 99 %, worst", f"{statistics.median(found.made_s) * 1e3:.0f}, {quantile(found.made_s, 0.99) * 1e3:.0f}, {max(found.made_s) * 1e3:.0f} ms"),
        ("… of the first 100, of the last 100", f"{first:.0f}, {last:.0f} ms"),
        ("one query: by the search path alone, with the tenant's role", f"{found.plain_us:.0f}, {found.role_us:.0f} µs"),
        ("migrating one", f"{found.migrated_s / max(found.n_migrated, 1) * 1e3:.0f} ms"),
        ("migrating all, where there is nothing to do", f"{found.again_s:.2f} s"),
    ]  # fmt: skip
    return f"{len(found.made_s):,} tenants", ("", ""), rows


def made(number: int) -> float:
    from foretell.tenants.services import create_tenant

    return timed(lambda: create_tenant(name=f"tenant-{number}"))[0]


def lookup_us() -> float:
    from foretell.tenants.resolving import tenant_of_host

    return best_us(lambda: tenant_of_host("tenant-0.localhost"))


def query_us(*, roles: bool) -> float:
    from django.db import connection
    from django.test import override_settings

    from foretell.core.database_backend import roles as role_lookup
    from foretell.core.tenancy import use_tenant
    from foretell.tenants.services import get_tenant

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    tenant = get_tenant("tenant-0")
    role_lookup.look_again()
    with override_settings(TENANT_ROLES="auto" if roles else "off"), use_tenant(tenant):
        measured = best_us(ask)
    role_lookup.look_again()
    return measured


def let_behind() -> None:
    from django.db import connection

    from foretell.core.tenancy import as_owner, use_public
    from foretell.tenants.models import Tenant
    from foretell.tenants.schemas import current_schemas

    with use_public(), as_owner(), connection.cursor() as cursor:
        for schema in Tenant.objects.values_list("schema_name", flat=True):
            cursor.execute(f'DROP TABLE "{schema}".{TABLE}')
            cursor.execute(f'DELETE FROM "{schema}".django_migrations WHERE app = %s', [APP])  # noqa: S608  names of ours
    current_schemas.forget()


def best_us(call: Callable[[], object]) -> float:
    """Return what a call takes in the best of some rounds: others may be at work on this machine."""
    return min(timed(lambda: [call() for _ in range(LOOKUPS)])[0] for _ in range(ROUNDS)) / LOOKUPS * 1e6


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


if __name__ == "__main__":
    main()
