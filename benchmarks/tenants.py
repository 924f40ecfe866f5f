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
from typing import Any

LOOKUPS, ROUNDS = 200, 5
APP, TABLE = "idempotency", "idempotency_keptanswer"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=2)
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
            measure(asked.tenants, asked.jobs)


def measure(tenants: int, jobs: int) -> None:
    from django.db import connection, connections

    from foretell.config.migrating import migrate

    migrate()
    first = made(0)
    alone_us = lookup_us()
    seconds = [first, *(made(number) for number in range(1, tenants))]
    print(
        f"making one: median {statistics.median(seconds) * 1e3:.0f} ms, 99 % {quantile(seconds, 0.99) * 1e3:.0f} ms, worst {max(seconds) * 1e3:.0f} ms"
    )
    print(
        f"of the first 100: {statistics.median(seconds[:100]) * 1e3:.0f} ms; of the last 100: {statistics.median(seconds[-100:]) * 1e3:.0f} ms"
    )
    print(f"finding one by host: {alone_us:.0f} us with 1, {lookup_us():.0f} us with {tenants:,}")
    print(
        f"one query of a tenant: {query_us(roles=False):.0f} us by the search path alone, {query_us(roles=True):.0f} us with its role"
    )
    let_behind()
    took, outcome = timed(lambda: migrate(jobs=jobs))
    print(
        f"migrating {outcome.n_done:,} with {jobs} processes: {took:.0f} s, {took / max(outcome.n_done, 1) * 1e3:.0f} ms each; {len(outcome.failures)} failed"
    )
    print(f"again, with nothing to do: {timed(lambda: migrate(jobs=jobs))[0]:.2f} s")
    connection.close()
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has a pool


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
