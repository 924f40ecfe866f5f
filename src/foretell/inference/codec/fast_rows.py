"""The usual body, read in one go: msgspec checks names, types and bounds while it decodes.

This reader may only ever answer what the strict one would, or None: then the strict one decides, and finds the words. Whatever is not usual
is left to it: a fault, a warning about a bare row, a key that came twice, a number that float64 does not hold.
"""

import re
import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import starmap
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from foretell.inference.batch import Array, Batch, MatrixColumns
from foretell.inference.codec.derived import Derived
from foretell.inference.codec.fast_fields import Values, check_of, row_type, usual_type, valid_type
from foretell.inference.codec.objects import row_reader
from foretell.inference.codec.parsed import ParsedRows
from foretell.inference.codec.strict_json import count_of, has_keys
from foretell.inference.errors import InvalidInput
from foretell.inference.signature import DType, Signature
from foretell.inference.signature_checks import MAX_SAFE_INTEGER

PATH = "instances"
MAX_FIELDS = 256  # of a struct: msgspec searches them one after the other, which takes long where the order is another
_ROWS = re.compile(rb'\s*\{\s*"instances"\s*:\s*\[\s*([\[{])')
_NOT_USUAL = (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError, InvalidInput, struct.error)
_as_tuple = msgspec.structs.astuple


class FastRows(ABC):
    """Reads the bodies that fit one signature. Made once for a signature, and safe to share."""

    def __init__(self, signature: Signature) -> None:
        sources = signature.inputs
        self._reader = row_reader(signature)
        self._has_nullable = any(source.nullable for source in sources)
        self._width = len(sources)
        usual, valid = [*map(usual_type, sources)], [*map(valid_type, sources)]
        row = row_type("Row", sources, valid)
        self._decode_row = _decoder(row_type("UsualRow", sources, usual))
        self._decode_objects = _decoder(_instances(row))
        self._decode_lists = _decoder(_instances(tuple[tuple(valid)]))  # type: ignore[misc]  # made at run time

    def read(self, body: bytes, max_rows: int) -> ParsedRows | None:
        try:
            found = _ROWS.match(body)
            if found is None:
                return self._read_row(body)
            return self._read_rows(body, found[1], max_rows)
        except _NOT_USUAL:
            return None

    def _read_row(self, body: bytes) -> ParsedRows | None:
        values, n_keys = _as_tuple(self._decode_row(body)), self._width
        if self._has_nullable and UNSET in values:
            n_keys -= values.count(UNSET)
            values = _completed(values)
        return self._parsed_row(values) if has_keys(body, n_keys) else None

    def _read_rows(self, body: bytes, opening: bytes, max_rows: int) -> ParsedRows | None:
        # Security: a row costs far more memory than its few bytes, so that they are counted before they are made.
        if count_of(opening[0], body) > max_rows + 1:
            return None
        n_keys, rows = 1, []
        if opening == b"[":
            rows = self._decode_lists(body).instances
        else:
            rows = list(map(_as_tuple, self._decode_objects(body).instances))
            n_keys += self._width * len(rows)
            if self._has_nullable and (n_missing := sum(row.count(UNSET) for row in rows)):
                n_keys -= n_missing
                rows = list(map(_completed, rows))
        if len(rows) > max_rows or not has_keys(body, n_keys):
            return None
        return self._parsed_rows(rows)

    @abstractmethod
    def _parsed_row(self, values: Values) -> ParsedRows | None: ...

    @abstractmethod
    def _parsed_rows(self, rows: Sequence[Values]) -> ParsedRows | None: ...


class NumberRows(FastRows):
    """Every input is a float or an int: the rows are one matrix."""

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        sources = signature.inputs
        self._positions = {source.name: position for position, source in enumerate(sources)}
        self._whole = frozenset(s.name for s in sources if s.dtype is DType.INT and not s.nullable)
        self._ints = [position for position, source in enumerate(sources) if source.dtype is DType.INT]
        self._pack = struct.Struct(f"={len(sources)}d").pack
        nothing = (None, None)
        self._limits = _bounds([source.limits or nothing for source in sources])
        self._range = _bounds([source.range or nothing for source in sources])

    def _parsed_row(self, values: Values) -> ParsedRows:
        return ParsedRows(self._batch(np.array((values,), dtype=np.float64), 1), is_single=True)

    def _parsed_rows(self, rows: Sequence[Values]) -> ParsedRows | None:
        matrix = self._matrix(rows)
        # A missing value is NaN, and neither the least nor the most; a column of nothing else is within all bounds.
        least, most = np.fmin.reduce(matrix), np.fmax.reduce(matrix)
        if _outside(least, most, *_SAFE).any() or _outside(least, most, *self._limits).any():
            return None
        if self._ints and not _are_whole(matrix[:, self._ints]):
            return None
        unseen = np.flatnonzero(_outside(least, most, *self._range)).tolist()
        columns = {position: [row[position] for row in rows] for position in unseen}
        return ParsedRows(
            self._batch(matrix, len(rows)), warnings=self._reader.warnings(columns, path=PATH) if columns else ()
        )

    def _batch(self, matrix: Array, n_rows: int) -> Batch:
        return Batch(MatrixColumns(self._positions, self._whole, matrix), n_rows, matrix)

    def _matrix(self, rows: Sequence[Values]) -> Array:
        if self._has_nullable:
            return np.array(rows, dtype=np.float64)
        # Optimization: packed, numbers are taken over three times as fast as from Python's objects.
        return np.frombuffer(bytearray().join(starmap(self._pack, rows))).reshape(len(rows), self._width)


class MixedRows(FastRows):
    """Texts, categories and dates among the inputs: each is a column of its own."""

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        found = [(position, check_of(source)) for position, source in enumerate(signature.inputs)]
        self._checks = [(position, check) for position, check in found if check is not None]

    def _parsed_row(self, values: Values) -> ParsedRows | None:
        for position, check in self._checks:
            if not check(values[position]):
                return None
        reader = self._reader
        columns = {
            name: column.array((value,))
            for name, column, value in zip(reader.names, reader.readers, values, strict=True)
        }
        return ParsedRows(Batch(columns, 1), is_single=True)

    def _parsed_rows(self, rows: Sequence[Values]) -> ParsedRows:
        return self._reader.read_columns(list(zip(*rows, strict=True)), [], path=PATH, n_rows=len(rows))


class NoRows:
    """For signatures that msgspec cannot describe: everything is left to the strict reader."""

    def read(self, body: bytes, max_rows: int) -> None:
        return None


def _made_for(signature: Signature) -> FastRows | NoRows:
    if len(signature.inputs) > MAX_FIELDS:
        return NoRows()
    is_matrix = all(source.dtype in (DType.FLOAT, DType.INT) for source in signature.inputs)
    try:
        return NumberRows(signature) if is_matrix else MixedRows(signature)
    except ValueError:  # a name with a quote, a backslash or a control character
        return NoRows()


#: The fast reader of a signature, made at its first use.
fast_rows = Derived(_made_for)


def _instances(row: Any) -> type[msgspec.Struct]:
    return msgspec.defstruct("Instances", [(PATH, list[row])], forbid_unknown_fields=True)


def _decoder(kind: Any) -> Any:
    return msgspec.json.Decoder(kind).decode


def _completed(values: Values) -> Values:
    return tuple(None if value is UNSET else value for value in values)


def _bounds(pairs: Sequence[tuple[float | None, float | None]]) -> tuple[Array, Array]:
    least = [-np.inf if least is None else least for least, _ in pairs]
    most = [np.inf if most is None else most for _, most in pairs]
    return np.array(least, dtype=np.float64), np.array(most, dtype=np.float64)


#: Integers beyond are refused, and at the bound itself float64 no longer tells them apart.
_SAFE = (np.nextafter(-MAX_SAFE_INTEGER, 0.0), np.nextafter(MAX_SAFE_INTEGER, 0.0))


def _outside(least: Array, most: Array, lower: Any, upper: Any) -> Array:
    found: Array = (least < lower) | (most > upper)
    return found


def _are_whole(values: Array) -> bool:
    return bool(((values == np.floor(values)) | np.isnan(values)).all())
