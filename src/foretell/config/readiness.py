"""What `/readyz` looks at."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings
from django.db import close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor

from foretell.core.health import Check
from foretell.core.tenancy import use_public
from foretell.gateway.lane import gateway
from foretell.inference.errors import SandboxError
from foretell.inference.sandbox import Sandbox
from foretell.registry.recording import recorder
from foretell.segments.lag import drain_lag
from foretell.tenants.models import Tenant
from foretell.tenants.schemas import current_schemas
from foretell.webserver.overload import load

AWAY = "the database does not answer"


def stopping() -> str | None:
    return "this process is about to stop" if load.is_leaving else None


def predictions() -> str | None:
    """Whether predictions are answered: from memory, or else by asking the database."""
    return None if gateway().is_serving else database()


def catalogue() -> str | None:
    """Whether this process knows of what changes, and every alias leads where it should."""
    return gateway().trouble()


def database() -> str | None:
    if gateway().is_cut_off:  # a probe waits for no connection to a database of which it is known that it is away
        return AWAY
    with _database():
        connection.cursor().execute("SELECT 1")
    return None


def migrations() -> str | None:
    """Whether the code may use the database; while it is away, it does not."""
    if gateway().is_cut_off:
        return None
    with _database():
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan([node for node in executor.loader.graph.leaf_nodes() if _is_shared(node[0])])
    return "the public schema is behind the code; run `foretell migrate`" if behind else None


SHOWN = 5


def tenants() -> str | None:
    """Whether every tenant's schema is at this version; one that is not answers 503, and the others are served."""
    if gateway().is_cut_off:
        return None
    with _database():
        names = dict(Tenant.objects.order_by("name").values_list("schema_name", "name"))
        not_current = current_schemas.not_current(list(names))
    behind = [name for schema, name in names.items() if schema in not_current]
    if not behind:
        return None
    more = f" and {len(behind) - SHOWN} more" if len(behind) > SHOWN else ""
    return f"{', '.join(behind[:SHOWN])}{more}: their schemas are behind the code; run `foretell migrate`"


def storage() -> str | None:
    settings.ARTIFACT_ROOT.mkdir(parents=True, exist_ok=True)
    probe = settings.ARTIFACT_ROOT / ".readyz"
    probe.touch()
    return None


def sandbox() -> str | None:
    """Whether the sandbox answers at its socket; without it, what is `onnx` is served and nothing is built."""
    try:
        Sandbox(settings.SANDBOX_SOCKET).parent_pid()
    except SandboxError:
        return "nobody answers at the sandbox's socket; nothing is built and python runtimes do not answer"
    return None


def worker() -> str | None:
    if gateway().is_cut_off:
        return AWAY
    with _database(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM procrastinate_workers WHERE last_heartbeat > now() - interval '60 seconds' LIMIT 1"
        )
        return None if cursor.fetchone() else "no worker has been heard of for a minute"


LAG_S = 60.0  # how old the oldest prediction may be that is not drained


def prediction_log() -> str | None:
    """Whether the log takes records here, and the drainer keeps up; what is not drained yet is on disk, and not lost."""
    trouble = recorder().trouble
    if trouble is not None:
        return f"it takes no records: {trouble}"
    lag = drain_lag(settings.PREDICTION_LOG_ROOT)
    return f"{lag.n_bytes:,} bytes wait to be drained, for {lag.age_s:.0f} s" if lag.age_s > LAG_S else None


@contextmanager
def _database() -> Iterator[None]:
    """Look at the public schema. The probe is no request: nobody else gives its connection back, or drops one that broke."""
    close_old_connections()
    try:
        with use_public():
            yield
    finally:
        close_old_connections()


def _is_shared(label: str) -> bool:
    from django.apps import apps

    return apps.get_app_config(label).name in settings.SHARED_APPS


REQUIRED: Mapping[str, Check] = {
    "stopping": stopping,
    "predictions": predictions,
    "migrations": migrations,
    "storage": storage,
}
ADVISORY: Mapping[str, Check] = {
    "database": database,
    "catalogue": catalogue,
    "tenants": tenants,
    "sandbox": sandbox,
    "worker": worker,
    "prediction log": prediction_log,
}
