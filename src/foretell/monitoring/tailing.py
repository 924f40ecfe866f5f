"""One segment as the drainer has it: read on from where it was, and put away when its writer is gone."""

import os
from pathlib import Path
from typing import NamedTuple

import structlog

from foretell.segments.files import is_abandoned, sync_directory
from foretell.segments.format import Tail, framed
from foretell.segments.reading import read_frames
from foretell.segments.records import Record, UndecodableRecord, decode

log = structlog.get_logger(__name__)


class Entry(NamedTuple):
    """A record with its place: it begins at `start` of its segment and ends before `end`. None: it was set aside."""

    segment: str
    start: int
    end: int
    record: Record | None


class TailedSegment:
    """Reads on; what was read is stored by somebody else.

    offset : behind the last record that was read.
    """

    def __init__(self, path: Path, offset: int) -> None:
        self.path, self.name, self.offset = path, path.stem, offset
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._is_abandoned = False
        self._tail = Tail.NOTHING
        self.is_finished = False

    def read(self, part_bytes: int) -> list[Entry]:
        """Return what is there by now.

        Race condition: whether the writer is gone is asked first; asked afterwards, its last words would be missed.
        """
        self._is_abandoned = self._is_abandoned or is_abandoned(self._descriptor)
        frames = read_frames(self._descriptor, self.offset, part_bytes=part_bytes)
        entries = []
        for payload, end in frames.payloads:
            entries.append(Entry(self.name, self.offset, end, self._decoded(payload)))
            self.offset = end
        self._tail = frames.tail
        self.is_finished = self._is_abandoned and not entries
        return entries

    def read_again_from(self, offset: int) -> None:
        """Go back to where what was taken ends."""
        self.offset = offset

    def put_away(self) -> None:
        """Delete what is stored to its end; what no writer wrote is kept for a person to look at."""
        if self._tail is Tail.DAMAGED:
            log.error("a segment of the prediction log is damaged, and set aside", segment=self.name, at=self.offset)
            self.path.rename(self.path.with_suffix(".damaged"))
        else:
            self.path.unlink(missing_ok=True)
        sync_directory(
            self.path.parent
        )  # before its mark goes: a segment that came back without one would be stored twice

    def close(self) -> None:
        os.close(self._descriptor)

    def _decoded(self, payload: memoryview) -> Record | None:
        try:
            return decode(payload)
        except UndecodableRecord as err:
            set_aside(self.path.parent, self.name, self.offset, bytes(payload), reason=str(err))
            return None


def set_aside(directory: Path, segment: str, start: int, payload: bytes, *, reason: str) -> None:
    """Keep what cannot be stored, in a file of its own; again is the same file."""
    rejected = directory / "rejected"
    rejected.mkdir(exist_ok=True, mode=0o700)
    path = rejected / f"{segment}-{start}.frame"
    if not path.exists():
        log.error(
            "a record of the prediction log cannot be stored, and is set aside", file=path.name, reason=reason[:500]
        )
    path.write_bytes(framed(payload))
