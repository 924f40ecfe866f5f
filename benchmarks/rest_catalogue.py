"""What the REST catalogue costs: `python benchmarks/rest_catalogue.py [--models 10000] [--versions 10] [--rows 1000000]`.

A database of its own is filled by bulk insert. Each kind of page, filter, search and order is asked through all of Django, in this
process; CPU is this process's and that of PostgreSQL's backends together. Then the log is exported in each format, and the memory that
it takes is watched. Nothing stays.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from goals import Verdict
from results import Table, keep

MODELS, VERSIONS, ROWS, ROUNDS, BATCH = 10_000, 10, 1_000_000, 7, 2_000
LIST, LOG = "/api/v1/models/", "/api/v1/predictions/"
MOST_CPU_MS, MOST_QUERIES = 100.0, 6
FLAT, FLAT_MB = ("csv", "parquet"), 16.0  # how much more ten times as many rows may take
PAGE_HEADER = ("address", "CPU ms", "worst", "without PostgreSQL", "queries", "found")
EXPORT_HEADER = ("address", "MB", "seconds", "CPU s", "first bytes after s", "more memory at most, MB")
QUERIES = (
    "", "page_size=200", "page=100", "page_size=200&page=50", "ordering=-created_at", "ordering=-updated_at,name", "ordering=-metric.accuracy",
    "ordering=metric.f1&page_size=200", "search=model-77", "search=churn", "search=forecasts weekly team", "search=zzz", "task=regression",
    "alias=canary", "archived=true", "created_by=ann", "name__startswith=model-09", "metric.accuracy__gte=0.9",
    "metric.accuracy__gte=0.5&metric.f1__lt=0.5&tag.team=team-3&task=binary&ordering=-metric.accuracy", "tag.team=team-3", "tag.absent=x",
)  # fmt: skip
DEEP = (
    f"{LIST}model-00500/", f"{LIST}model-00500/versions/", f"{LIST}model-00500/versions/?metric.accuracy__gte=0.1&ordering=-metric.f1",
    f"{LIST}model-00500/versions/3/", f"{LIST}model-00500/versions/3/lineage/",
)  # fmt: skip
WORDS = [
    "churn",
    "forecasts",
    "demand",
    "price",
    "weekly",
    "daily",
    "risk",
    "scores",
    "images",
    "of",
    "customers",
    "orders",
    "returns",
    "for",
    "the",
    "team",
    "in",
    "region",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--versions", type=int, default=VERSIONS)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--quick", action="store_true", help="a small registry and log, shown only")
    options = parser.parse_args()
    if options.quick:
        options.models, options.versions, options.rows = 500, 5, 20_000
    with tenant() as (house, key):
        fill(house, options.models, options.versions)
        pages = [asked(house, key, path) for path in (*(f"{LIST}?{query}" for query in QUERIES), *DEEP)]
        lists = [exported(key, f"{LIST}?format={format_}") for format_ in ("csv", "xlsx", "parquet")]
        fill_log(house, options.rows // 10)
        tenth = [exported(key, f"{LOG}?format={format_}") for format_ in (*FLAT, "xlsx")]
        fill_log(house, options.rows - options.rows // 10)
        whole = [exported(key, f"{LOG}?format={format_}") for format_ in FLAT]
    of = f"{options.models:,} models with {options.versions} versions each"
    tables: list[Table] = [
        (f"{of}: CPU of this process and PostgreSQL, median of {ROUNDS}", PAGE_HEADER, [page.row for page in pages]),
        (f"Exports: of the models, of {options.rows // 10:,} rows of the log, and of {options.rows:,}", EXPORT_HEADER,
         [export.row for export in (*lists, *tenth, *whole)]),
    ]  # fmt: skip
    is_whole = (options.models, options.versions, options.rows) >= (MODELS, VERSIONS, ROWS)
    keep("rest_catalogue", verdicts=verdicts(pages, tenth, whole), tables=tables, is_whole=is_whole)


def verdicts(pages: "list[Page]", tenth: "list[Export]", whole: "list[Export]") -> dict[str, Verdict]:
    slowest, most = max(page.cpu_ms for page in pages), max(page.queries for page in pages)
    pairs = list(zip(FLAT, tenth, whole, strict=False))
    grown = "; ".join(f"{name}: {few.more_mb:.0f} → {many.more_mb:.0f} MB" for name, few, many in pairs)
    return {
        "rest_cpu": Verdict(f"{slowest:.0f} ms at most, over {len(pages)} addresses", slowest < MOST_CPU_MS),
        "rest_queries": Verdict(f"{most} at most", most <= MOST_QUERIES),
        "export": Verdict(grown, all(many.more_mb - few.more_mb <= FLAT_MB for _, few, many in pairs)),
    }


class Page(NamedTuple):
    """What an address cost: `cpu_ms` with PostgreSQL's, `django_ms` without."""

    path: str
    cpu_ms: float
    worst_ms: float
    django_ms: float
    queries: int
    found: int

    @property
    def row(self) -> list[str]:
        return [
            f"`{self.path}`", f"{self.cpu_ms:.1f}", f"{self.worst_ms:.1f}", f"{self.django_ms:.1f}", str(self.queries), f"{self.found:,}"
        ]  # fmt: skip


class Export(NamedTuple):
    """What a file cost; `more_mb` of memory at most, while it was streamed."""

    path: str
    mb: float
    seconds: float
    cpu_s: float
    first_s: float
    more_mb: float

    @property
    def row(self) -> list[str]:
        numbers = (
            f"{self.mb:,.1f}",
            f"{self.seconds:.1f}",
            f"{self.cpu_s:.1f}",
            f"{self.first_s:.2f}",
            f"{self.more_mb:,.0f}",
        )
        return [f"`{self.path}`", *numbers]


@contextmanager
def tenant() -> Iterator[tuple[Any, str]]:
    """Set up a database with one tenant, and an owner's key."""
    with tempfile.TemporaryDirectory(prefix="foretell-rest-") as home:
        os.chmod(home, 0o711)  # noqa: S103  PostgreSQL, which is not root, goes through
        os.environ |= {
            "FORETELL_HOME": home,
            "DJANGO_SETTINGS_MODULE": "foretell.config.settings",
            "LOG_LEVEL": "ERROR",
        }
        os.environ |= {"FORETELL_LIMIT_KEY": "off", "FORETELL_LIMIT_USER": "off", "FORETELL_LIMIT_TENANT": "off"}
        import django

        django.setup()
        from foretell.accounts.services import create_key, create_user
        from foretell.config.migrating import migrate
        from foretell.core.tenancy import use_tenant
        from foretell.embedded.database import running_database
        from foretell.tenants.services import create_tenant

        with running_database():
            migrate()
            made = create_tenant(name="acme")
            with use_tenant(made):
                user = create_user(username="ann", email="ann@acme.example", password=secrets.token_hex(), role="owner")
                _, key = create_key(user=user, name="bench", scopes=["admin"])
            yield made, key
            from django.db import connections

            connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has a pool


def fill(house: Any, models: int, versions: int) -> None:
    from foretell.accounts.models import User
    from foretell.core.tenancy import use_tenant
    from foretell.registry.models import Alias, ModelVersion, RegisteredModel

    with use_tenant(house):
        ann = User.objects.get()
        rows = [
            RegisteredModel(
                name=f"model-{number:05}", created_by=ann, last_number=versions, tags={"team": f"team-{number % 40}", "tier": "gold"},
                description=" ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 60)),
            )
            for number in range(models)
        ]  # fmt: skip
        RegisteredModel.objects.bulk_create(rows, batch_size=BATCH)
        for start in range(0, models, 500):
            some = rows[start : start + 500]
            made = ModelVersion.objects.bulk_create(
                [version(model, number, ann) for model in some for number in range(1, versions + 1)], batch_size=BATCH
            )
            champions = [
                Alias(model_id=each.model_id, name="champion", version=each) for each in made if each.number == versions
            ]
            canaries = [Alias(model_id=each.model_id, name="canary", version=each) for each in made[1 :: versions * 3]]
            Alias.objects.bulk_create([*champions, *canaries], batch_size=BATCH)
        analyse()


def version(model: Any, number: int, by: Any) -> Any:
    from foretell.registry.models import ModelVersion

    task = ("regression", "binary", "multiclass")[model.pk % 3]
    inputs = [
        {"name": f"input {place}", "dtype": "float", "range": [0, 1], "quantiles": [0, 0.1, 0.2, 0.5, 0.8, 0.9, 1]}
        for place in range(20)
    ]
    share = (model.pk * 7919 + number) % 1_000 / 1_000
    return ModelVersion(
        model=model, number=number, state="ready", seal="x", push_digest=f"{number:064}", created_by=by, runtime="onnx", size_bytes=10_000,
        signature={"inputs": inputs, "outputs": [{"name": "y", "task": task}]}, metrics={"accuracy": share, "f1": 1 - share},
        tags={"run": str(number)}, lineage={"git_commit": f"{model.pk:040}"},
    )  # fmt: skip


def fill_log(house: Any, rows: int) -> None:
    from django.utils import timezone

    from foretell.accounts.models import User
    from foretell.core.tenancy import use_tenant
    from foretell.ids import uuid7
    from foretell.monitoring.models import Prediction

    with use_tenant(house):
        ann, now = User.objects.get(), timezone.now()
        for start in range(0, rows, 20_000):
            Prediction.objects.bulk_create(
                [
                    Prediction(
                        id=uuid7(), at=now, model=f"model-{place % 1_000:05}", version=1, face="rest", user_id=ann.pk,
                        request_id=f"request-{place}", n_rows=1, duration_us=70, n_warnings=0, inputs=b'{"a": 1}',
                        inputs_type="application/json", outputs=b'{"prediction": 1}',
                    )
                    for place in range(start, min(start + 20_000, rows))
                ],
                batch_size=BATCH,
            )  # fmt: skip
        analyse()


def analyse() -> None:
    from django.db import connection

    from foretell.core.tenancy import use_public

    with use_public(), connection.cursor() as cursor:  # a tenant's role may not
        cursor.execute("VACUUM ANALYZE")


def asked(house: Any, key: str, path: str) -> Page:
    """Ask once to warm up, then measure: CPU here and in PostgreSQL; all queries of the request, those for tenant and key included."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from foretell.core.tenancy import use_tenant

    client = Client(headers={"host": "acme.localhost", "X-API-Key": key})
    found = client.get(path).json()
    with use_tenant(house), CaptureQueriesContext(connection) as captured:
        client.get(path)
    queries = sum(1 for query in captured if not query["sql"].startswith("SET search_path"))  # which goes with the next
    spent = [cpu_of(lambda: client.get(path)) for _ in range(ROUNDS)]
    total, django = ([each[place] * 1e3 for each in spent] for place in (0, 1))
    median = statistics.median
    return Page(path, median(total), max(total), median(django), queries, found.get("count", 1))


def cpu_of(run: Any) -> tuple[float, float]:
    """Return the CPU in s that something takes: with PostgreSQL's, and without.

    PostgreSQL's clock ticks in hundredths of a second: over the rounds its mean is right, a single one is not.
    """
    before, here = backends_cpu(), time.process_time()
    run()
    here = time.process_time() - here
    return here + backends_cpu() - before, here


def backends_cpu() -> float:
    """Return the CPU of PostgreSQL's processes that answer somebody; not of those that clean up behind the filling."""
    pid_file = next(Path(os.environ["FORETELL_HOME"]).rglob("postmaster.pid"))
    total = 0.0
    for process in psutil.Process(int(pid_file.read_text().split()[0])).children():
        try:
            if "autovacuum" in (words := " ".join(process.cmdline())) or "[local]" not in words:
                continue
            times = process.cpu_times()
            total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def exported(key: str, path: str) -> Export:
    """Stream an export to nowhere, and watch the memory of this process meanwhile."""
    process = psutil.Process()
    before, peak, is_over = process.memory_info().rss, process.memory_info().rss, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_over.wait(0.02):
            peak = max(peak, process.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    started, here = time.perf_counter(), time.process_time()
    first, size = asyncio.run(streamed(key, path))
    is_over.set()
    watching.join()
    took, cpu = time.perf_counter() - started, time.process_time() - here
    return Export(path, size / 1e6, took, cpu, first - started, (peak - before) / 1e6)


async def streamed(key: str, path: str) -> tuple[float, int]:
    """Ask as a server would, and keep nothing of what comes; return when it began, and its bytes."""
    from foretell.config.asgi import without_lane

    address, _, query = path.partition("?")
    headers = [(b"host", b"acme.localhost"), (b"x-api-key", key.encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": address,
        "raw_path": address.encode(), "query_string": query.encode(), "root_path": "", "headers": headers, "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "extensions": {}, "state": {},
    }  # fmt: skip
    first, size, is_asked = 0.0, 0, False

    async def receive() -> dict[str, Any]:
        nonlocal is_asked
        if is_asked:
            await asyncio.Event().wait()  # the client stays
        is_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal first, size
        assert message.get("status", 200) == 200, message
        body = message.get("body", b"")
        first = first or (time.perf_counter() if body else 0.0)
        size += len(body)

    await without_lane(scope, receive, send)
    return first, size


if __name__ == "__main__":
    main()
