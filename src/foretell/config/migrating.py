"""Bringing the database to the code: public first, then every tenant's schema, several at once. Safe to repeat, and to run twice at a time.

What is done is in each schema's own record, so that a run that was cut off goes on where it stopped. A schema that fails is
reported, and stops no other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

from foretell.core.database_backend.roles import look_again
from foretell.core.tenancy import PUBLIC_SCHEMA, as_owner, use_public
from foretell.errors import ForetellError
from foretell.tenants import schemas
from foretell.tenants.cloning import ensure_template, migrate_schema
from foretell.tenants.models import Tenant
from foretell.tenants.roles import ensure_role, missing_roles

LOCK = "foretell migrate "  # and the schema; held by the session that migrates it


@dataclass(frozen=True, slots=True)
class Failure:
    """A tenant whose schema could not be migrated, and why."""

    tenant: str
    schema: str
    error: str


@dataclass(slots=True)
class Outcome:
    """What a run did: whether public was behind, how many schemas are done, and which are not."""

    is_public_changed: bool = False
    n_done: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        return self.is_public_changed or self.n_done > 0


Progress = Callable[[int, int, Tenant], None]  # how many are done, of how many, and which was the last


class NotAllMigrated(ForetellError):
    """Some tenants are behind the code still; the others are served."""

    code = "not_all_migrated"

    def __init__(self, failures: list[Failure]) -> None:
        shown = "; ".join(f"{failure.tenant}: {failure.error}" for failure in failures[:5])
        more = f"; and {len(failures) - 5} more" if len(failures) > 5 else ""
        super().__init__(
            f"{len(failures)} tenants could not be migrated, and answer 503 until they are: {shown}{more}."
        )


def migrate(*, jobs: int = 1, on_progress: Progress = lambda *_: None) -> Outcome:
    """Migrate what is behind, in so many processes; nothing is run where nothing is behind."""
    outcome = Outcome()
    if schemas.is_public_behind():
        with _alone(PUBLIC_SCHEMA):
            migrate_schema(PUBLIC_SCHEMA)
        outcome.is_public_changed = True
    ensure_template()
    waiting = schemas.behind()
    for number, (tenant, error) in enumerate(_migrated(waiting, jobs=jobs), start=1):
        if error is None:
            outcome.n_done += 1
        else:
            outcome.failures.append(Failure(tenant.name, tenant.schema_name, error))
        on_progress(number, len(waiting), tenant)
    _ensure_roles()
    return outcome


def is_behind() -> bool:
    """Whether the public schema lacks a migration that the code has: then nothing can be done. Tenants that are behind wait alone."""
    return schemas.is_public_behind()


def migrate_tenant(schema_name: str) -> None:
    """Bring one schema to this version: make it where it is missing, apply what it lacks, and give its role what came."""
    with _alone(schema_name):
        if not schemas.missing_of([schema_name])[schema_name]:
            return  # Race condition: another run was here while this one waited
        with use_public(), as_owner(), connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {connection.ops.quote_name(schema_name)}")
        migrate_schema(schema_name)
        with use_public(), as_owner():
            ensure_role(schema_name)


def described(err: Exception) -> str:
    """Return an error in one line."""
    return f"{type(err).__name__}: {' '.join(str(err).split())}"[:500]


def _migrated(waiting: list[Tenant], *, jobs: int) -> Iterator[tuple[Tenant, str | None]]:
    if jobs > 1 and len(waiting) > jobs:
        from foretell.config.migrating_workers import migrated_by_workers

        yield from migrated_by_workers(waiting, jobs=jobs)
        return
    for tenant in waiting:
        try:
            migrate_tenant(tenant.schema_name)
        except Exception as err:  # noqa: BLE001  reported; the others go on
            yield tenant, described(err)
        else:
            yield tenant, None


def _ensure_roles() -> None:
    """Give tenants the roles that they lack: of a time before there were any, or after a restore into another server."""
    with use_public(), as_owner():
        for schema_name in missing_roles():
            if not ensure_role(schema_name):
                return  # this user may make none
    look_again()


@contextmanager
def _alone(schema_name: str) -> Iterator[None]:
    """Let one process at a time migrate a schema; the lock ends with its session, however that ends."""
    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [LOCK + schema_name])
    try:
        yield
    finally:
        with use_public(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [LOCK + schema_name])
