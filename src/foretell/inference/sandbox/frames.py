"""Messages between a client and a locked child: a length of eight bytes, then one msgpack map.

Security: what comes from a child is hostile. It is decoded into plain values only, with caps on its length and on the
number of its values, since a byte on the wire can become sixty in memory.
"""

import struct
from collections.abc import Callable
from typing import Any

import msgspec

from foretell.inference.sandbox.counting import holds_at_most

Receive = Callable[[memoryview], int]  #: fills the view as far as it can, returns how far; 0 at the end
Send = Callable[[memoryview], int]

MAX_VALUES = 2_000_000
_LENGTH = struct.Struct(">Q")


class BrokenFrame(Exception):
    """Bytes that are no message: too long, too many values, not msgpack, not a map."""


class Disconnected(Exception):
    """The other side is gone."""


def encode(message: dict[str, Any]) -> bytes:
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def send(raw: Send, frame: bytes) -> None:
    left = memoryview(frame)
    while left:
        left = left[raw(left) :]


def receive(raw: Receive, *, max_bytes: int) -> dict[str, Any]:
    """Read one message of at most `max_bytes`.

    Raises
    ------
    BrokenFrame, Disconnected
    """
    (length,) = _LENGTH.unpack(_read(raw, _LENGTH.size))
    if length > max_bytes:
        raise BrokenFrame(f"an answer of {length:,} bytes, where at most {max_bytes:,} are read")
    return decode(_read(raw, length))


def decode(body: bytes | bytearray) -> dict[str, Any]:
    # Optimization: a message of n bytes has at most n values, so only longer ones have to be counted.
    if len(body) > MAX_VALUES and not holds_at_most(body, MAX_VALUES):
        raise BrokenFrame(f"an answer of more than {MAX_VALUES:,} values; send long columns as bytes")
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError, OverflowError) as err:
        raise BrokenFrame(f"an answer that is not a msgpack map of plain values ({type(err).__name__})") from err


def _refuse_extension(code: int, data: memoryview) -> Any:
    raise ValueError(f"msgpack extension {code}")


_decoder = msgspec.msgpack.Decoder(dict[str, Any], ext_hook=_refuse_extension)


def _read(raw: Receive, length: int) -> bytearray:
    buffer = bytearray(length)
    view = memoryview(buffer)
    filled = 0
    while filled < length:
        count = raw(view[filled:])
        if not count:
            raise Disconnected
        filled += count
    return buffer
