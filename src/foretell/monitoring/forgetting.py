"""Takes a tenant that is gone out of the prediction log's segments on this host, where its records lie between those of others.

A record is written over by one of the same length that says nothing and is nobody's, so that the segment stays what it is to whoever
reads it. Where a drainer is at work, what it has not read yet is left to it first: it drops the records of tenants that are gone.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import structlog

from foretell.segments.files import segment_paths
from foretell.segments.format import framed
from foretell.segments.lag import read_progress
from foretell.segments.reading import START, read_frames
from foretell.segments.records import GapRecord, PredictionRecord, Record, UndecodableRecord, decode, encode_plain

log = structlog.get_logger(__name__)

WAIT_S = 20.0
POLL_S = 0.1
PART_BYTES = 4 << 20
NOBODY = "00000000-0000-0000-0000-000000000000"


def forget_records(directory: Path, *, tenant_id: str, wait_s: float = WAIT_S) -> int:
    """Write over the tenant's records in the segments, and delete those that were set aside; return how many there were.

    What a drainer does not get to within `wait_s` stays until its segment is drained and deleted.
    """
    if not directory.is_dir():
        return 0
    forgotten = _forget_rejected(directory, tenant_id)
    for path, end in _readable_to(directory, wait_s):
        forgotten += _forget_in(path, tenant_id, end)
    for path in directory.glob("*.damaged"):
        forgotten += _forget_in(path, tenant_id, path.stat().st_size)
    return forgotten


def _readable_to(directory: Path, wait_s: float) -> Iterator[tuple[Path, int]]:
    """Yield each segment, and up to where no drainer reads it any more."""
    with _without_drainer(directory) as is_alone:
        if is_alone:
            yield from ((path, path.stat().st_size) for path in segment_paths(directory))
            return
    sizes = {path: path.stat().st_size for path in segment_paths(directory)}
    deadline = time.monotonic() + wait_s
    while sizes:
        offsets = read_progress(directory).offsets
        is_late = time.monotonic() > deadline
        for path, size in list(sizes.items()):
            drained = offsets.get(path.stem, 0)
            if drained >= size or is_late or not path.exists():
                yield path, min(drained, size)
                del sizes[path]
                if drained < size and path.exists():
                    log.warning(
                        "a segment is not drained; records of a tenant that is gone stay in it", segment=path.stem
                    )
        time.sleep(POLL_S if sizes else 0.0)


@contextmanager
def _without_drainer(directory: Path) -> Iterator[bool]:
    """Take the drainer's turn, if nobody has it; while the block runs no drainer reads."""
    descriptor = os.open(directory / "drainer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _forget_in(path: Path, tenant_id: str, end: int) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0  # it was drained to its end, and is gone
    try:
        return sum(_blank(descriptor, tenant_id, payload, start) for payload, start in _frames(descriptor, end))
    finally:
        os.fsync(descriptor)
        os.close(descriptor)


def _frames(descriptor: int, end: int) -> Iterator[tuple[bytes, int]]:
    offset = START
    while offset < end:
        frames = read_frames(descriptor, offset, part_bytes=PART_BYTES)
        yield from (
            (bytes(payload), start)
            for payload, start in zip(frames.payloads, frames.starts, strict=True)
            if start < end
        )
        if frames.end == offset:
            return  # what follows is no whole frame
        offset = frames.end


def _blank(descriptor: int, tenant_id: str, payload: bytes, start: int) -> bool:
    if tenant_id.encode() not in payload:
        return False
    try:
        record = decode(payload)
    except UndecodableRecord:
        return False
    if record.tenant != tenant_id:
        return False
    blank = encode_plain(blanked(record))
    if len(blank) != len(payload):  # a release that wrote more fields than this one knows
        log.warning("a record of a tenant that is gone cannot be written over", at=start)
        return False
    os.pwrite(descriptor, framed(blank), start)
    return True


def blanked(record: Record) -> Record:
    """Return a record of the same length when it is packed, with nothing in it of what there was."""
    if isinstance(record, GapRecord):
        return msgspec.structs.replace(record, id=bytes(16), tenant=NOBODY)
    return PredictionRecord(
        bytes(16), NOBODY, record.at_us, _x(record.model), record.version, _x(record.face), NOBODY,
        None if record.key_id is None else _x(record.key_id), _x(record.request_id), record.n_rows, record.duration_us,
        record.n_warnings, _zeros(record.inputs), _x(record.inputs_type), _zeros(record.outputs), record.cpu_us,
    )  # fmt: skip


def _x(text: str) -> str:
    return "x" * len(text.encode())


def _zeros(content: bytes | None) -> bytes | None:
    return None if content is None else bytes(len(content))


def _forget_rejected(directory: Path, tenant_id: str) -> int:
    found = [path for path in directory.glob("rejected/*.frame") if tenant_id.encode() in path.read_bytes()]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
