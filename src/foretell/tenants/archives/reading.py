"""Reading a tenant's archive into this installation: all of it, in one transaction, or nothing.

Security: nothing of an archive becomes a path or a name in a statement as it stands. Tables and columns are looked up in the new
schema, a file's name is its SHA-256, and the schema's name is made here.
"""

import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction
from psycopg import sql

from foretell.audit.installation.models import ChainHead
from foretell.audit.recording import record
from foretell.core.tenancy import as_owner, use_public, use_tenant
from foretell.tenants.archives.contents import (
    ARTIFACT,
    FORMAT,
    HEAD,
    MANIFEST,
    ROWS,
    ArchiveRefused,
    Head,
    Listed,
    Manifest,
    Table,
    carried_tables,
    secret_check,
)
from foretell.tenants.deleting import STAGED
from foretell.tenants.models import Plan, Tenant
from foretell.tenants.schemas import known_migrations
from foretell.tenants.services import TenantExists, add_tenant, hosts_of, target_of, validate

MAX_PART_BYTES = 64 << 20
MAX_SMALL_BYTES = 16 << 20  # of the head, and of the manifest
CHUNK_BYTES = 1 << 20
T = TypeVar("T")


@dataclass(slots=True)
class Arrived:
    """A tenant that was read in.

    is_same_secret : the archive was written with this SECRET_KEY, so that keys' digests and versions' seals hold here.
    """

    tenant: Tenant
    is_same_secret: bool
    n_rows: int = 0
    n_artifacts: int = 0
    files: dict[str, Listed] = field(default_factory=dict)


@contextmanager
def importing(*, file: BinaryIO, name: str | None = None, domains: Sequence[str] | None = None) -> Iterator[Arrived]:
    """Read a tenant in, and commit it when the block ends; within it, the tenant's rows are there and nobody else sees them yet.

    Parameters
    ----------
    name, domains
        In place of those of the archive.

    Raises
    ------
    ArchiveRefused, TenantExists, InvalidTenant
    """
    root: Path = settings.ARTIFACT_ROOT
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = Path(tempfile.mkdtemp(prefix=STAGED, dir=root))
    moved: Path | None = None
    try:
        with use_public(), as_owner(), transaction.atomic():
            with _opened(file) as tar:
                arrived = _read(tar, staged, name=name, domains=domains)
            moved = root / str(arrived.tenant.pk)
            staged.rename(moved)
            yield arrived
    except BaseException:
        shutil.rmtree(moved or staged, ignore_errors=True)
        raise


@contextmanager
def _opened(file: BinaryIO) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(fileobj=file, mode="r|*") as tar:
            yield tar
    except (tarfile.TarError, EOFError, OSError) as err:
        raise ArchiveRefused(
            f"This cannot be read as an archive of a tenant ({err}). Was it copied to its end?"
        ) from err


def _read(tar: tarfile.TarFile, staged: Path, *, name: str | None, domains: Sequence[str] | None) -> Arrived:
    members = iter(tar)
    head, listed = _checked_head(tar, next(members, None))
    arrived = _begun(head, name=name, domains=domains)
    arrived.files[HEAD] = listed
    tables = {table.name: table for table in carried_tables(arrived.tenant.schema_name)}
    with use_tenant(arrived.tenant), _fitting(), _loading(list(tables.values())):
        for member in members:
            if member.name == MANIFEST:
                _compare(arrived.files, _small(tar, member, Manifest)[0])
                break
            _take(tar, member, tables, staged, arrived)
        else:
            raise ArchiveRefused("The archive ends before its manifest: it was cut short. Copy or export it again.")
        _continue_chain(head, arrived.tenant)
    _write_down(head, arrived)
    return arrived


@contextmanager
def _fitting() -> Iterator[None]:
    """Say in words that rows fit no table here, or refer to rows that did not come."""
    try:
        yield
    except (DataError, IntegrityError, UnicodeDecodeError) as err:
        raise ArchiveRefused(f"The archive has rows that cannot be kept: {' '.join(str(err).split())[:300]}.") from err


def _checked_head(tar: tarfile.TarFile, member: tarfile.TarInfo | None) -> tuple[Head, Listed]:
    if member is None or member.name != HEAD:
        raise ArchiveRefused(f"This is no archive of a tenant: it does not begin with {HEAD}.")
    head, listed = _small(tar, member, Head)
    if head.format != FORMAT:
        raise ArchiveRefused(f"The archive has the format {head.format}; this version of Foretell reads {FORMAT}.")
    here = {".".join(key) for key in known_migrations(is_public=False)}
    if differing := sorted(here ^ set(head.migrations)):
        raise ArchiveRefused(
            f"The archive was written by Foretell {head.foretell} with other migrations than this installation has ({', '.join(differing[:3])} …). "
            "Bring both to the same version, and export it again."
        )
    return head, listed


def _begun(head: Head, *, name: str | None, domains: Sequence[str] | None) -> Arrived:
    """Make the tenant, with its own id and an empty schema."""
    own = head.tenant
    try:
        identifier, given = UUID(own["id"]), str(name or own["name"])
        further = list(domains) if domains is not None else [_as_host(str(domain)) for domain in own["domains"][1:]]
        fields = {key: own[key] for key in ("log_policy", "log_retention_days", "own_limits")}
        plan, limits = own["plan"], dict(own["limits"])
    except (KeyError, ValueError, TypeError) as err:
        raise ArchiveRefused(f"{HEAD} does not say whose archive this is ({err}).") from err
    if Tenant.objects.filter(pk=identifier).exists():
        raise TenantExists(f"The tenant of this archive is here already, with the id {identifier}. Delete it first.")
    known_plan = Plan.objects.filter(name=plan).first() if plan else None
    if known_plan is None:
        fields["own_limits"] = limits  # what held there holds here
    tenant = Tenant(pk=identifier, name=given, plan=known_plan, **fields)
    validate(tenant)
    add_tenant(tenant, hosts_of(given, further))
    return Arrived(tenant, is_same_secret=head.secret_check == secret_check(str(identifier)))


def _as_host(domain: str) -> str:
    """Return a domain as a header would have it: an address of IPv6 is kept without its brackets."""
    return f"[{domain}]" if ":" in domain else domain


def _take(
    tar: tarfile.TarFile, member: tarfile.TarInfo, tables: dict[str, Table], staged: Path, arrived: Arrived
) -> None:
    if not member.isreg() or member.name in arrived.files:
        raise ArchiveRefused(f"The archive has {member.name[:100]!r}, which is no file of it, or comes twice.")
    file = tar.extractfile(member)
    if file is None:
        raise ArchiveRefused(f"{member.name[:100]!r} cannot be read.")
    if found := ROWS.fullmatch(member.name):
        digest, n_rows = _insert(file, member, tables.get(found["table"]))
        arrived.n_rows += n_rows
    elif found := ARTIFACT.fullmatch(member.name):
        digest = _keep(file, staged / found["sha256"])
        arrived.n_artifacts += 1
    else:
        raise ArchiveRefused(f"The archive has {member.name[:100]!r}, which no archive of a tenant has.")
    arrived.files[member.name] = Listed(digest, member.size)


def _insert(file: IO[bytes], member: tarfile.TarInfo, table: Table | None) -> tuple[str, int]:
    """Insert the rows of a part; return its SHA-256, and how many there are."""
    if table is None:
        raise ArchiveRefused(f"{member.name!r} is of a table that tenants do not have here.")
    if member.size > MAX_PART_BYTES:
        raise ArchiveRefused(f"{member.name!r} has {member.size:,} bytes; expected at most {MAX_PART_BYTES:,}.")
    content = file.read()
    lines = content.splitlines()
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json)"
    ).format(table=sql.Identifier(table.name), columns=columns)
    with connection.cursor() as cursor:
        cursor.execute(statement, [f"[{','.join(line.decode() for line in lines)}]"])
    return sha256(content).hexdigest(), len(lines)


def _keep(file: IO[bytes], place: Path) -> str:
    digest = sha256()
    with place.open("xb") as kept:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            kept.write(chunk)
    if digest.hexdigest() != place.name:
        raise ArchiveRefused(f"The artifact {place.name[:12]}… has other bytes than its name says.")
    return digest.hexdigest()


@contextmanager
def _loading(tables: list[Table]) -> Iterator[None]:
    """Empty the tables and let no trigger of ours see the rows: they are written as they were, the audit's chain above all.

    Foreign keys are held to all the same, at the end.
    """
    names = [sql.Identifier(table.name) for table in tables]
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
        cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(names)))
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in names:
            cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in tables:
            for counter in table.counters:
                cursor.execute(_count_on(table, counter))


def _count_on(table: Table, counter: str) -> sql.Composed:
    """Let new rows have keys behind those that came."""
    return sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({}) + 1, false) FROM {} HAVING max({}) IS NOT NULL").format(
        sql.Literal(table.name), sql.Literal(counter), sql.Identifier(counter), sql.Identifier(table.name), sql.Identifier(counter)
    )  # fmt: skip


def _continue_chain(head: Head, tenant: Tenant) -> None:
    """Let the tenant's audit go on where it ended there: its rows came with their places and digests."""
    chain: dict[str, Any] = {
        name: head.chain[name]
        for name in ("position", "digest", "pruned_position", "pruned_digest")
        if name in head.chain
    }
    if chain:
        with use_public():
            ChainHead.objects.update_or_create(schema_name=tenant.schema_name, defaults=chain)


def _compare(found: dict[str, Listed], manifest: Manifest) -> None:
    if differing := sorted(
        name for name in found.keys() | manifest.files.keys() if found.get(name) != manifest.files.get(name)
    ):
        raise ArchiveRefused(
            f"The archive is not as its manifest says: {', '.join(differing[:3])} differ. Copy or export it again."
        )


def _write_down(head: Head, arrived: Arrived) -> None:
    after: dict[str, Any] = {
        "name": arrived.tenant.name,
        "settings": {"made_at": head.made_at, "rows": arrived.n_rows, "artifacts": arrived.n_artifacts},
        **{
            name: head.chain[name] for name in ("position", "digest") if name in head.chain
        },  # where its own audit ended
    }
    record(action="tenant.imported", target=target_of(arrived.tenant), name=arrived.tenant.name, after=after)


def _small(tar: tarfile.TarFile, member: tarfile.TarInfo, kind: type[T]) -> tuple[T, Listed]:
    """Return what a small file says, and how the manifest should list it."""
    file = tar.extractfile(member) if member.isreg() and member.size <= MAX_SMALL_BYTES else None
    if file is None:
        raise ArchiveRefused(f"{member.name!r} is no file of at most {MAX_SMALL_BYTES:,} bytes.")
    content = file.read()
    try:
        return msgspec.json.decode(content, type=kind), Listed(sha256(content).hexdigest(), len(content))
    except msgspec.MsgspecError as err:
        raise ArchiveRefused(f"{member.name} is not what it should be: {err}.") from err
