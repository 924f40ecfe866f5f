"""The catalogue on disk: what a process that starts while the database is away serves from.

It is refused where it is not as it was written, and when it is so old that too much may have changed since, revoked keys above all.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from foretell.gateway.catalogue import Known
from foretell.gateway.rows import SHAPE, unpacked
from foretell.gateway.signed_files import FileRefused, read_signed, write_signed

PURPOSE = "snapshot 1"
MAX_AGE = timedelta(hours=24)
CLOCKS_DIFFER = timedelta(minutes=5)
NO_REVISION = 0  # those that there are begin with the clock


class _Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """written_at : seconds since 1970.

    tenants : the revision and the packed rows of each.
    shape : of those rows (`rows.SHAPE`).
    """

    written_at: float
    tenants: list[tuple[int, bytes]]
    shape: str = ""


def write_snapshot(path: Path, catalogue: Collection[Known], *, now: datetime) -> None:
    snapshot = _Snapshot(now.timestamp(), [(known.number, known.packed) for known in catalogue], SHAPE)
    write_signed(path, msgspec.msgpack.encode(snapshot), purpose=PURPOSE, durably=True)


def read_snapshot(path: Path, *, now: datetime) -> list[tuple[int, bytes]]:
    """Return each tenant's revision and packed rows.

    Security: rows of another release are served from, and are of no revision: they are read anew as soon as the database can be
    asked, since what they do not tell may be what keeps somebody out.

    Raises
    ------
    FileRefused
        where there is none, or none that may be served from.
    """
    try:
        snapshot = msgspec.msgpack.decode(read_signed(path, purpose=PURPOSE), type=_Snapshot)
    except msgspec.MsgspecError as err:
        raise FileRefused(f"{path} is of another release.") from err
    age = now - datetime.fromtimestamp(snapshot.written_at, tz=now.tzinfo)
    if not -CLOCKS_DIFFER <= age <= MAX_AGE:
        raise FileRefused(f"{path} was written {age} ago; one older than {MAX_AGE} is not served from.")
    return snapshot.tenants if snapshot.shape == SHAPE else [(NO_REVISION, rows) for _, rows in snapshot.tenants]


def drop_from_snapshot(path: Path, *, tenant_id: str) -> None:
    """Take one tenant out of the snapshot, which stays as old as it is; one that cannot be read goes as a whole."""
    try:
        snapshot = msgspec.msgpack.decode(read_signed(path, purpose=PURPOSE), type=_Snapshot)
        others = [(number, rows) for number, rows in snapshot.tenants if unpacked(rows).id != tenant_id]
    except (FileRefused, msgspec.MsgspecError):
        path.unlink(missing_ok=True)
        return
    if len(others) < len(snapshot.tenants):
        kept = _Snapshot(snapshot.written_at, others, snapshot.shape)
        write_signed(path, msgspec.msgpack.encode(kept), purpose=PURPOSE, durably=True)
