"""A segment's bytes: a mark of the format, then frames of length, CRC-32 and payload.

What a death in the middle of a write leaves behind is a tail that is no whole frame. It is recognised, and never read as a record.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import Enum

MAGIC = b"FTSEG\x00\x01\n"
FRAME_HEAD = struct.Struct("<II")
MAX_PAYLOAD = 4 << 20  # twice what a record may have: a length beyond it was never written by us

_pack_head, _head_bytes = FRAME_HEAD.pack, FRAME_HEAD.size
_crc32 = zlib.crc32


class Tail(Enum):
    """What follows the last whole frame."""

    NOTHING = "nothing"
    CUT = "cut"  # a frame that is not all there: not yet, or never
    DAMAGED = "damaged"  # what no writer wrote: zeros after a loss of power, or a disk that forgets


@dataclass(frozen=True, slots=True)
class Frames:
    """The whole frames of some bytes.

    payloads : each with the offset behind its frame.
    end : the offset behind the last whole frame.
    """

    payloads: list[tuple[memoryview, int]]
    end: int
    tail: Tail


def framed(payload: bytes) -> bytes:
    return _pack_head(len(payload), _crc32(payload)) + payload


def frames_of(data: bytes, offset: int) -> Frames:
    """Return the whole frames of `data`, which lies at `offset` of its segment."""
    view, end = memoryview(data), 0
    payloads: list[tuple[memoryview, int]] = []
    while end < len(data):
        found = _frame_at(view, end)
        if isinstance(found, Tail):
            return Frames(payloads, offset + end, found)
        end += _head_bytes + len(found)
        payloads.append((found, offset + end))
    return Frames(payloads, offset + end, Tail.NOTHING)


def _frame_at(data: memoryview, position: int) -> memoryview | Tail:
    start = position + _head_bytes
    if start > len(data):
        return Tail.CUT
    length, checksum = FRAME_HEAD.unpack_from(data, position)
    if not 0 < length <= MAX_PAYLOAD:  # zeros would be an empty frame with the right checksum
        return Tail.DAMAGED
    payload = data[start : start + length]
    if len(payload) < length:
        return Tail.CUT
    return payload if _crc32(payload) == checksum else Tail.DAMAGED
