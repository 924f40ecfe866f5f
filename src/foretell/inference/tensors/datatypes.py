"""The datatypes of the Open Inference Protocol, with Triton's BF16."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from foretell.inference.batch import Array


class Kind(Enum):
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Datatype:
    """One of them.

    dtype : how its elements lie in a binary tensor, little-endian; None for BYTES, whose elements have lengths of their own.
    least, most : what an element may be; both infinite for BYTES.
    """

    name: str
    kind: Kind
    dtype: np.dtype[Any] | None
    least: float = float("-inf")
    most: float = float("inf")

    @property
    def is_narrow(self) -> bool:
        """Whether it has fewer digits than the float64 that a Batch holds."""
        return self.kind is Kind.FLOAT and self.name != "FP64"

    @property
    def is_binary_only(self) -> bool:
        """Whether JSON cannot carry it: nobody agrees on how a half float is spelt."""
        return self.name in ("FP16", "BF16")

    def narrowed(self, number: float) -> float:
        """Return the number of this datatype that is nearest."""
        with np.errstate(over="ignore"):
            if self.name == "BF16":
                return float(widened_bfloat16(narrowed_bfloat16(np.array([number], np.float32)))[0])
            return float(np.array([number]).astype(self.dtype)[0])


def widened_bfloat16(halves: Array) -> Array:
    """Return bfloat16, held as uint16, as the float32 of the same value: its upper half."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def narrowed_bfloat16(numbers: Array) -> Array:
    """Return float32 as the nearest bfloat16, ties to even, held as uint16."""
    bits = numbers.astype(np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded >> 16).astype(np.uint16)


def _integer(name: str, code: str) -> Datatype:
    limits = np.iinfo(np.dtype(code))
    return Datatype(name, Kind.INT, np.dtype(code), int(limits.min), int(limits.max))


def _float(name: str, code: str, most: float) -> Datatype:
    return Datatype(name, Kind.FLOAT, np.dtype(code), -most, most)


BOOL = Datatype("BOOL", Kind.BOOL, np.dtype(np.bool_))
INT64 = _integer("INT64", "<i8")
FP64 = _float("FP64", "<f8", float(np.finfo(np.float64).max))
BYTES = Datatype("BYTES", Kind.BYTES, None)
DATATYPES = {
    datatype.name: datatype
    for datatype in (
        BOOL,
        *(_integer(f"UINT{bits}", f"<u{bits // 8}") for bits in (8, 16, 32, 64)),
        *(_integer(f"INT{bits}", f"<i{bits // 8}") for bits in (8, 16, 32)),
        INT64,
        _float("FP16", "<f2", float(np.finfo(np.float16).max)),
        _float("BF16", "<u2", float(widened_bfloat16(np.array([0x7F7F], np.uint16))[0])),
        _float("FP32", "<f4", float(np.finfo(np.float32).max)),
        FP64,
        BYTES,
    )
}
