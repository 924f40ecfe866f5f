"""One segment as the drainer has it: read on from where it was, and put away when its writer is gone."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from foretell.segments.files import is_abandoned, sync_directory
from foretell.segments.format import Frames, Tail, framed
from foretell.segments.reading import read_frames
from foretell.segments.records import Record, UndecodableRecord, decode

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Span:
    """A piece of a segment, from `start` to `end`, with the records that lie in it.

    starts : where each record begins. What is between them and no record was set aside.
    """

    segment: str
    start: int
    end: int
    records: Sequence[Record]
    starts: Sequence[int]

    @property
    def tenants(self) -> set[str]:
        return {record.tenant for record in self.records}

    def split(self, n_records: int) -> tuple["Span", "Span"]:
        """Return the first records, and the others."""
        middle = self.starts[n_records]
        return (
            Span(self.segment, self.start, middle, self.records[:n_records], self.starts[:n_records]),
            Span(self.segment, middle, self.end, self.records[n_records:], self.starts[n_records:]),
        )


class TailedSegment:
    """Reads on; what was read is stored by somebody else.

    offset : behind the last record that was read.
    has_more : the last read did not reach the end.
    """

    def __init__(self, path: Path, offset: int) -> None:
        self.path, self.name, self.offset = path, path.stem, offset
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._is_abandoned = False
        self._tail = Tail.NOTHING
        self.has_more = True

    @property
    def is_finished(self) -> bool:
        """Whether all was read that will ever be there."""
        return self._is_abandoned and not self.has_more

    def read(self, part_bytes: int) -> Span | None:
        """Return what is there by now, up to a size; None where nothing is.

        Race condition: whether the writer is gone is asked first; asked afterwards, its last words would be missed.
        """
        self._is_abandoned = self._is_abandoned or is_abandoned(self._descriptor)
        frames = read_frames(self._descriptor, self.offset, part_bytes=part_bytes)
        self._tail, self.has_more = frames.tail, frames.has_more
        if not frames.payloads:
            return None
        start, self.offset = self.offset, frames.end
        return Span(self.name, start, frames.end, *self._decoded(frames))

    def read_again_from(self, offset: int) -> None:
        """Go back to where what was taken ends."""
        self.offset, self.has_more = offset, True

    def read_of(self, tenant: str, begins: int, ends: int, *, part_bytes: int) -> Span:
        """Return what a tenant has in a piece that was read before, or in the first part of it."""
        frames = read_frames(self._descriptor, begins, part_bytes=min(part_bytes, ends - begins))
        if not frames.payloads:  # a disk that forgets
            log.error("a piece of the prediction log cannot be read again", segment=self.name, at=begins)
            self._tail = Tail.DAMAGED
            return Span(self.name, begins, ends, [], [])
        found = [one for one in zip(*self._decoded(frames), strict=True) if one[0].tenant == tenant and one[1] < ends]
        return Span(self.name, begins, min(frames.end, ends), [record for record, _ in found], [at for _, at in found])

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

    def _decoded(self, frames: Frames) -> tuple[Sequence[Record], Sequence[int]]:
        try:
            return list(map(decode, frames.payloads)), frames.starts
        except UndecodableRecord:
            found = [pair for pair in map(self._decoded_or_set_aside, frames.payloads, frames.starts) if pair]
            return [record for record, _ in found], [start for _, start in found]

    def _decoded_or_set_aside(self, payload: bytes, start: int) -> tuple[Record, int] | None:
        try:
            return decode(payload), start
        except UndecodableRecord as err:
            set_aside(self.path.parent, self.name, start, payload, reason=str(err))
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
