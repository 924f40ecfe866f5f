"""The files of models: content-addressed, `<root>/<tenant>/<sha256>`, written once, verified at each read.

Security: names are made here, of a tenant's id and of bytes; nothing that a user wrote becomes part of a path.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from foretell.core.tenancy import current_tenant
from foretell.errors import ForetellError

SHA256 = re.compile(r"[0-9a-f]{64}")
CHUNK_BYTES = 1 << 20
LOCK = ".lock"
ORPHAN_AGE = timedelta(hours=1)  # an upload whose row is not committed yet is younger than this

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class ArtifactDamaged(ForetellError):
    """A stored file that is gone, or is not the one that was stored."""

    code = "artifact_damaged"
    kind = "unavailable"


class StorageFull(ForetellError):
    """The disk of the artifacts takes no more."""

    code = "storage_full"
    kind = "unavailable"


@dataclass(frozen=True, slots=True)
class Stored:
    sha256: str
    size_bytes: int


def store(chunks: Iterable[bytes]) -> Stored:
    """Keep a file for the tenant at hand; the same bytes are kept once.

    Nothing is at its place until it is whole: a write that a crash cuts short leaves only a temporary file, which is swept.
    """
    directory = _directory()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    descriptor, temporary = tempfile.mkstemp(prefix=".incoming-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(Path(temporary), directory / digest.hexdigest())
    except BaseException as err:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(err, OSError) and err.errno in _FULL:
            raise StorageFull(
                "The disk of this installation takes no more files. Nothing was kept; ask who runs it to make room."
            ) from err
        raise
    return Stored(digest.hexdigest(), size)


def read(sha256: str) -> bytes:
    """Return a stored file.

    Raises
    ------
    ArtifactDamaged
        when it is gone or has other bytes than were stored.
    """
    with _readable(sha256):
        content = _place(sha256).read_bytes()
    _check(hashlib.sha256(content).hexdigest(), sha256)
    return content


def open_verified(sha256: str) -> BinaryIO:
    """Return a stored file at its beginning, read through once and never held whole: it may be large, and many may want it.

    Raises
    ------
    ArtifactDamaged
        as `read` does.
    """
    with contextlib.ExitStack() as until_verified, _readable(sha256):
        file = until_verified.enter_context(_place(sha256).open("rb"))
        _check(hashlib.file_digest(file, "sha256").hexdigest(), sha256)
        file.seek(0)
        until_verified.pop_all()
        return file


@contextlib.contextmanager
def _readable(sha256: str) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise ArtifactDamaged(
            f"The stored file {sha256[:12]}… cannot be read ({err.strerror}). Restore it from a backup, or push the model again."
        ) from err


def _check(found: str, sha256: str) -> None:
    if found != sha256:
        raise ArtifactDamaged(
            f"The stored file {sha256[:12]}… is not the one that was stored. Restore it from a backup, or push the model again."
        )


def sweep(needed: Iterable[str], *, now: datetime) -> int:
    """Delete the tenant's files that no version needs and that are older than an hour; return how many."""
    keep = {*needed, LOCK}
    return sum(_is_swept(path, now) for path in _files() if path.name not in keep)


def _is_swept(path: Path, now: datetime) -> bool:
    with _alone(path.parent), contextlib.suppress(FileNotFoundError):  # an upload that was put in place meanwhile
        if now.timestamp() - path.stat().st_mtime > ORPHAN_AGE.total_seconds():
            path.unlink()
            return True
    return False


def _put_in_place(temporary: Path, place: Path) -> None:
    with _alone(place.parent):
        os.replace(
            temporary, place
        )  # Race condition: an old orphan of the same bytes is young again, so the sweep spares it
        os.utime(place)
    descriptor = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the name is as lasting as the bytes, before a row speaks of it
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Race condition: between looking at a file's age and deleting it, nobody stores the same bytes anew."""
    with (directory / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _files() -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError):
        yield from list(_directory().iterdir())


def _place(sha256: str) -> Path:
    if not SHA256.fullmatch(sha256):
        raise ArtifactDamaged(f"{sha256[:80]!r} is not the name of a stored file.")
    return _directory() / sha256


def _directory() -> Path:
    root: Path = settings.ARTIFACT_ROOT
    return root / str(current_tenant().id)
