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

_pack_head, _unpack_head, _head_bytes = FRAME_HEAD.pack, FRAME_HEAD.unpack_from, FRAME_HEAD.size
_crc32 = zlib.crc32


class Tail(Enum):
    """What follows the last whole frame."""

    NOTHING = "nothing"
    CUT = "cut"  # a frame that is not all there: not yet, or never
    DAMAGED = "damaged"  # what no writer wrote: zeros after a loss of power, or a disk that forgets


@dataclass(slots=True)
class Frames:
    """The whole frames of some bytes.

    payloads, starts : what is in each, and the offset at which it begins.
    end : the offset behind the last.
    tail : what is behind that.
    has_more : these are not all that the segment has by now.
    """

    payloads: list[bytes]
    starts: list[int]
    end: int
    tail: Tail
    has_more: bool = False


def framed(payload: bytes) -> bytes:
    return _pack_head(len(payload), _crc32(payload)) + payload


def frames_of(data: bytes, offset: int) -> Frames:
    """Return the whole frames of `data`, which lies at `offset` of its segment.

    Optimization: one loop without a call of our own, since it runs for each prediction.
    """
    payloads: list[bytes] = []
    starts: list[int] = []
    position, size = 0, len(data)
    while position < size:
        begin = position + _head_bytes
        if begin > size:
            return Frames(payloads, starts, offset + position, Tail.CUT)
        length, checksum = _unpack_head(data, position)
        if not 0 < length <= MAX_PAYLOAD:  # zeros would be an empty frame with the right checksum
            return Frames(payloads, starts, offset + position, Tail.DAMAGED)
        end = begin + length
        if end > size:
            return Frames(payloads, starts, offset + position, Tail.CUT)
        payload = data[begin:end]
        if _crc32(payload) != checksum:
            return Frames(payloads, starts, offset + position, Tail.DAMAGED)
        payloads.append(payload)
        starts.append(offset + position)
        position = end
    return Frames(payloads, starts, offset + position, Tail.NOTHING)
