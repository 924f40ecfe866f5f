"""Binary tensors: little-endian, row-major, without gaps. A text has four bytes of length before it."""

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np

from foretell.inference.batch import Array
from foretell.inference.codec.wording import shown
from foretell.inference.tensors.datatypes import Datatype, Kind, widened_bfloat16
from foretell.inference.tensors.shapes import wrong

_LENGTH = struct.Struct("<I")


def unpacked(data: memoryview, datatype: Datatype, at: str) -> list[Any]:
    """Return the elements of a binary tensor; NaN is a missing value, and becomes None.

    Raises
    ------
    InvalidInput
        when the bytes are no whole number of elements, or are none of the datatype.
    """
    if datatype.dtype is None:
        return _texts(data, at)
    size = datatype.dtype.itemsize
    if len(data) % size:
        detail = f"Found {len(data):,} bytes; expected a multiple of {size}, the size of one {datatype.name}."
        raise wrong(at, "data", "wrong_length", detail)
    if datatype.kind is Kind.BOOL:
        return _bools(data, at)
    array = np.frombuffer(data, datatype.dtype)
    return _numbers(widened_bfloat16(array) if datatype.name == "BF16" else array)


def packed(array: Array, datatype: Datatype) -> bytes:
    """Return an array's elements as a binary tensor."""
    if datatype.dtype is not None:
        return np.ascontiguousarray(array, dtype=datatype.dtype).tobytes()
    return packed_texts(array.ravel().tolist())


def packed_texts(texts: Iterable[str]) -> bytes:
    encoded = [text.encode() for text in texts]
    return b"".join(part for text in encoded for part in (_LENGTH.pack(len(text)), text))


def text(data: bytes | memoryview, at: str) -> str:
    """Return one element of BYTES, which is UTF-8 here: no model takes anything else."""
    try:
        return bytes(data).decode()
    except UnicodeDecodeError as error:
        detail = f"Found bytes that are not UTF-8 at {error.start}; expected a text."
        raise wrong(at, "data", "invalid_text", detail) from None


def _texts(data: memoryview, at: str) -> list[str]:
    texts, position = [], 0
    while position < len(data):
        start = position + _LENGTH.size
        end = start + _LENGTH.unpack_from(data, position)[0] if start <= len(data) else start
        if end > len(data):
            detail = f"The element at byte {position:,} ends beyond the {len(data):,} bytes of its tensor."
            raise wrong(at, "data", "wrong_length", detail)
        texts.append(text(data[start:end], at))
        position = end
    return texts


def _bools(data: memoryview, at: str) -> list[bool]:
    array = np.frombuffer(data, np.uint8)
    if array.size and array.max() > 1:
        raise wrong(at, "data", "not_a_boolean", f"Found the byte {shown(int(array.max()))}; expected 0 or 1.")
    flags: list[bool] = array.astype(np.bool_).tolist()
    return flags


def _numbers(array: Array) -> list[Any]:
    values: list[Any] = array.tolist()
    if array.dtype.kind == "f" and np.isnan(array).any():
        return [None if value != value else value for value in values]  # NaN is not itself
    return values
