"""Reading a segment from an offset, while its writer may still be writing."""

import os

from foretell.segments.format import MAGIC, Frames, Tail, frames_of

START = len(MAGIC)
PART_BYTES = 8 << 20  # read at once; larger than any frame


def read_frames(descriptor: int, offset: int = 0, *, part_bytes: int = PART_BYTES) -> Frames:
    """Return the whole frames from `offset` on, at most some `part_bytes` of them.

    The tail is NOTHING where more may follow in the file, so that it tells of the segment's end only.
    """
    if offset < START:
        head = os.pread(descriptor, START, 0)
        if head != MAGIC:
            return Frames([], 0, Tail.CUT if MAGIC.startswith(head) else Tail.DAMAGED)
        offset = START
    data = os.pread(descriptor, part_bytes, offset)
    frames = frames_of(data, offset)
    if frames.tail is Tail.CUT and len(data) == part_bytes and frames.payloads:
        return Frames(frames.payloads, frames.end, Tail.NOTHING)
    return frames
