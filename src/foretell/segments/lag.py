"""How far the drainer is behind, told from the directory alone: no database is asked, so that any process may look."""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from foretell.segments.files import segment_paths
from foretell.segments.reading import START, read_frames
from foretell.segments.records import GapRecord, UndecodableRecord, decode

PROGRESS = "drained.json"


class Progress(msgspec.Struct):
    """What the drainer notes down for others; the truth is in the database.

    offsets : how far each segment is drained, by its name without the suffix.
    """

    offsets: dict[str, int] = {}
    n_predictions: int = 0
    n_dropped: int = 0
    n_rejected: int = 0


@dataclass(frozen=True, slots=True)
class Lag:
    """n_bytes, age_s : of what is not drained yet, and of the oldest prediction in it; 0 where all is."""

    n_bytes: int
    age_s: float
    n_segments: int


def drain_lag(directory: Path) -> Lag:
    """Return how much waits to be drained, and for how long the oldest of it does."""
    if not directory.is_dir():
        return Lag(0, 0.0, 0)
    offsets = read_progress(directory).offsets
    waiting, ages, paths = 0, [0.0], segment_paths(directory)
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            offset = max(offsets.get(path.stem, 0), START)
            waiting += max(path.stat().st_size - offset, 0)
            ages.append(_age_s(path, offset))
    return Lag(waiting, max(ages), len(paths))


def read_progress(directory: Path) -> Progress:
    try:
        return msgspec.json.decode((directory / PROGRESS).read_bytes(), type=Progress)
    except (OSError, msgspec.MsgspecError):
        return Progress()


def write_progress(directory: Path, progress: Progress) -> None:
    fresh = directory / f".{PROGRESS}.{os.getpid()}"
    fresh.write_bytes(msgspec.json.encode(progress))
    fresh.replace(directory / PROGRESS)


def _age_s(path: Path, offset: int) -> float:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        payloads = read_frames(descriptor, offset, part_bytes=4 << 10).payloads
    finally:
        os.close(descriptor)
    try:
        record = decode(payloads[0]) if payloads else None
    except UndecodableRecord:
        record = None
    if record is None:
        return 0.0
    at_us = record.first_at_us if isinstance(record, GapRecord) else record.at_us
    return max(time.time_ns() / 1e9 - at_us / 1e6, 0.0)
