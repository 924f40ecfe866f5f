"""Writing a tenant's archive: one moment of the database, then the files that it speaks of."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

import foretell
from foretell.audit.installation.models import ChainHead
from foretell.audit.recording import record
from foretell.core.tenancy import use_public, use_tenant
from foretell.tenants.archives.contents import (
    ARTIFACT,
    FORMAT,
    HEAD,
    LOG_TABLES,
    MANIFEST,
    Head,
    Listed,
    Manifest,
    Table,
    carried_tables,
    secret_check,
)
from foretell.tenants.models import Tenant
from foretell.tenants.schemas import known_migrations
from foretell.tenants.services import target_of

PART_BYTES = 4 << 20  # of rows that are held, before they become a file
CHUNK_BYTES = 1 << 20


def export_tenant(
    *, tenant: Tenant, file: BinaryIO, now: datetime, with_log: bool = True, is_compressed: bool = True
) -> Manifest:
    """Write all that a tenant owns to `file`; return what is in it. Predictions of the last second may not be in the log yet."""
    _write_down(tenant, with_log=with_log)
    head = _head(tenant, now, with_log=with_log)
    with tarfile.open(fileobj=file, mode="w|gz" if is_compressed else "w|") as tar:
        archive = _Archive(tar, now)
        archive.add(HEAD, msgspec.json.format(msgspec.json.encode(head)))
        with use_tenant(tenant), _one_moment():
            for table in carried_tables(tenant.schema_name):
                if with_log or table.name not in LOG_TABLES:
                    for number, part in enumerate(_parts(table), start=1):
                        archive.add(f"tables/{table.name}/{number:06}.jsonl", part)
        for path in sorted(_artifacts(tenant)):
            archive.add_file(f"artifacts/{path.name}", path)
        manifest = Manifest(archive.files)
        archive.add(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


class _Archive:
    """A tar that remembers what was put into it."""

    def __init__(self, tar: tarfile.TarFile, now: datetime) -> None:
        self._tar, self._now = tar, now
        self.files: dict[str, Listed] = {}

    def add(self, name: str, content: bytes) -> None:
        self._tar.addfile(self._info(name, len(content)), io.BytesIO(content))
        self.files[name] = Listed(sha256(content).hexdigest(), len(content))

    def add_file(self, name: str, path: Path) -> None:
        """Add a file without holding it; what is noted is what was written."""
        with path.open("rb") as file:
            size = path.stat().st_size
            reading = _Digesting(file)
            self._tar.addfile(self._info(name, size), reading)
        self.files[name] = Listed(reading.digest.hexdigest(), size)

    def _info(self, name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(self._now.timestamp()), 0o600
        return info


class _Digesting:
    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk


def _head(tenant: Tenant, now: datetime, *, with_log: bool) -> Head:
    with use_public():
        domains = list(tenant.domains.order_by("-is_primary", "domain").values_list("domain", flat=True))
        chain: dict[str, Any] = dict(ChainHead.objects.filter(schema_name=tenant.schema_name).values().first() or {})
    own = {
        "id": str(tenant.pk), "name": tenant.name, "domains": domains, "plan": tenant.plan_id, "limits": tenant.limits,
        "own_limits": tenant.own_limits, "log_policy": tenant.log_policy, "log_retention_days": tenant.log_retention_days,
    }  # fmt: skip
    return Head(
        format=FORMAT, foretell=foretell.__version__, made_at=now.isoformat(), tenant=own,
        migrations=[".".join(key) for key in known_migrations(is_public=False)], secret_check=secret_check(str(tenant.pk)),
        chain={name: value for name, value in chain.items() if name != "schema_name"}, has_log=with_log,
    )  # fmt: skip


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read the database as it was at one moment."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _parts(table: Table) -> Iterator[bytes]:
    """Yield the rows as JSON lines, some megabytes at a time."""
    lines = io.BytesIO()
    for line in _lines(table):
        lines.write(line.encode() + b"\n")
        if lines.tell() >= PART_BYTES:
            yield lines.getvalue()
            lines = io.BytesIO()
    if lines.tell():
        yield lines.getvalue()


def _lines(table: Table) -> Iterator[str]:
    """Optimization: PostgreSQL makes the JSON; a row is not taken apart here, and read back by PostgreSQL as well."""
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    order = sql.SQL(", ").join(map(sql.Identifier, table.key or table.columns[:1]))
    statement = sql.SQL("SELECT row_to_json(line)::text FROM (SELECT {} FROM {} ORDER BY {}) AS line").format(
        columns, sql.Identifier(table.name), order
    )
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(500):
            for (line,) in rows:
                yield line


def _artifacts(tenant: Tenant) -> list[Path]:
    directory: Path = settings.ARTIFACT_ROOT / str(tenant.pk)
    return (
        [path for path in directory.iterdir() if ARTIFACT.fullmatch(f"artifacts/{path.name}")]
        if directory.is_dir()
        else []
    )


def _write_down(tenant: Tenant, *, with_log: bool) -> None:
    with use_public(), transaction.atomic():
        record(
            action="tenant.exported", target=target_of(tenant), name=tenant.name, after={"settings": {"log": with_log}}
        )
