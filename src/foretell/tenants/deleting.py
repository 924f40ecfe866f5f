"""The end of a tenant: first it is suspended for a while, in which it can be had back; then everything it owned is gone.

What other rooms keep of a tenant, in memory or on the disk, `config.deleting` lets go of.
"""

import contextlib
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from foretell.audit.installation.models import ChainHead
from foretell.audit.recording import record
from foretell.core.tenancy import as_owner, use_public
from foretell.tenants.models import Tenant
from foretell.tenants.roles import drop_role
from foretell.tenants.services import change_state, state_of, target_of

GRACE = timedelta(days=7)
ORPHAN_AGE = timedelta(
    days=1
)  # a directory of somebody who is just being imported, and whose row is not committed yet, is younger
STAGED = ".import-"  # what an import begins with: tenants.archives.reading
REASON = "It is to be deleted."

# Race condition: a job that runs at this moment ends by itself, since its tenant is gone; its row is its worker's.
_JOBS = "DELETE FROM procrastinate_jobs WHERE args ->> 'tenant' = %s AND status <> 'doing'"


def schedule_deletion(*, tenant: Tenant, now: datetime, grace: timedelta = GRACE) -> datetime:
    """Suspend a tenant, and let it be deleted when the time of grace is over; until then `resume_tenant` has it back."""
    change_state(
        tenant, "tenant.deletion_scheduled", suspended_at=tenant.suspended_at or now, suspended_reason=REASON, suspended_until=None,
        delete_after=now + grace,
    )  # fmt: skip
    return now + grace


def delete_tenant(*, tenant: Tenant) -> None:
    """Delete the tenant with its schema, role, jobs and artifacts, for good. Asking whether that is meant is the caller's part."""
    with use_public(), as_owner(), transaction.atomic():
        if Tenant.objects.select_for_update(of=("self",)).filter(pk=tenant.pk).first() is None:
            return  # Race condition: somebody else was faster
        record(action="tenant.deleted", target=target_of(tenant), name=tenant.name, before=_as_it_was(tenant))
        _drop_schema(tenant.schema_name)
        ChainHead.objects.filter(schema_name=tenant.schema_name).delete()
        Tenant.objects.filter(pk=tenant.pk).delete()
    shutil.rmtree(settings.ARTIFACT_ROOT / str(tenant.pk), ignore_errors=True)


def due_to_delete(*, now: datetime) -> list[Tenant]:
    with use_public():
        return list(Tenant.objects.due_to_delete(now))


def sweep_orphans(*, now: datetime) -> int:
    """Delete artifacts of tenants that are gone: a push that was under way may have written some behind the deletion."""
    root: Path = settings.ARTIFACT_ROOT
    with use_public():
        known = {str(pk) for pk in Tenant.objects.values_list("pk", flat=True)}
    orphans = [path for path in _directories(root) if path.name not in known and _age(path, now) > ORPHAN_AGE]
    for path in orphans:
        shutil.rmtree(path, ignore_errors=True)
    return len(orphans)


def _drop_schema(schema_name: str) -> None:
    with connection.cursor() as cursor:
        tenant = Tenant.objects.values_list("pk", flat=True).get(schema_name=schema_name)
        cursor.execute(_JOBS, [str(tenant)])
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema_name)))
    drop_role(schema_name)


def _as_it_was(tenant: Tenant) -> dict[str, Any]:
    """Return what the installation remembers: that there was such a tenant, and where its own audit ended."""
    head = ChainHead.objects.filter(schema_name=tenant.schema_name).first()
    end = {"position": head.position, "digest": head.digest} if head else {}
    domains = list(tenant.domains.values_list("domain", flat=True))
    return {"state": state_of(tenant), "name": tenant.name, "domains": domains, "schema": tenant.schema_name, **end}


def _directories(root: Path) -> Iterable[Path]:
    """Return those that are named as a tenant's are, or that an import left which was killed."""
    for path in root.iterdir() if root.is_dir() else ():
        if path.name.startswith(STAGED):
            yield path
        with contextlib.suppress(ValueError):
            yield path.parent / str(UUID(path.name))


def _age(path: Path, now: datetime) -> timedelta:
    with contextlib.suppress(FileNotFoundError):
        return now - datetime.fromtimestamp(path.stat().st_mtime, tz=now.tzinfo)
    return timedelta(0)
