"""Reading a segment from an offset, while its writer may still be writing."""

import os

from foretell.segments.format import FRAME_HEAD, MAGIC, MAX_PAYLOAD, Frames, Tail, frames_of

START = len(MAGIC)
PART_BYTES = 2 * (FRAME_HEAD.size + MAX_PAYLOAD)  # read at once; larger than any frame


def read_frames(descriptor: int, offset: int = 0, *, part_bytes: int = PART_BYTES) -> Frames:
    """Return the whole frames from `offset` on: at most some `part_bytes` of them, and one at least if one is there.

    The tail is NOTHING where the file goes on, so that it tells of the segment's end only.
    """
    if offset < START:
        head = os.pread(descriptor, START, 0)
        if head != MAGIC:
            return Frames([], [], 0, Tail.CUT if MAGIC.startswith(head) else Tail.DAMAGED)
        offset = START
    data = os.pread(descriptor, part_bytes, offset)
    frames = frames_of(data, offset)
    if frames.tail is Tail.DAMAGED or len(data) < part_bytes:
        return frames
    if not frames.payloads and part_bytes < PART_BYTES:
        return read_frames(descriptor, offset)
    frames.tail, frames.has_more = Tail.NOTHING, True
    return frames
