"""What `/readyz` looks at."""

from collections.abc import Mapping

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from foretell.core.health import Check
from foretell.core.tenancy import use_public
from foretell.inference.errors import SandboxError
from foretell.inference.sandbox import Sandbox


def database() -> str | None:
    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return None


def migrations() -> str | None:
    with use_public():
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan([node for node in executor.loader.graph.leaf_nodes() if _is_shared(node[0])])
    return "the public schema is behind the code; run `foretell migrate`" if behind else None


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
    with use_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM procrastinate_workers WHERE last_heartbeat > now() - interval '60 seconds' LIMIT 1"
        )
        return None if cursor.fetchone() else "no worker has been heard of for a minute"


def _is_shared(label: str) -> bool:
    from django.apps import apps

    return apps.get_app_config(label).name in settings.SHARED_APPS


REQUIRED: Mapping[str, Check] = {"database": database, "migrations": migrations, "storage": storage}
ADVISORY: Mapping[str, Check] = {"sandbox": sandbox, "worker": worker}
