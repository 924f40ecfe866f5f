"""Rows of Python values to typed columns: where every reader, whatever its format, ends."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from foretell.inference.batch import Array, Batch
from foretell.inference.codec.category_readers import reader_of
from foretell.inference.codec.column_readers import ABSENT, REPORTED, Fault, Values
from foretell.inference.codec.derived import Derived
from foretell.inference.codec.parsed import MAX_PROBLEMS, MAX_ROWS, ParsedRows, Table, most_rows
from foretell.inference.codec.wording import listed, place, shown
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.signature import Signature

Located = tuple[int, int, str, Fault]  #: row, position among the row's inputs, name, what is the matter


def parse_objects(
    signature: Signature, rows: Sequence[Mapping[str, Any]], *, path: str = "instances", max_rows: int = MAX_ROWS
) -> ParsedRows:
    """Check rows of Python values, numpy's scalars among them, by their inputs' names.

    Raises
    ------
    InvalidInput
        has all faults, at ``<path>.<row>.<input>``.
    """
    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    return row_reader(signature).read(plain, path=path, max_rows=max_rows)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


class RowReader:
    """Reads the rows of one signature. Made once for a signature, and safe to share."""

    def __init__(self, signature: Signature) -> None:
        self.names = tuple(source.name for source in signature.inputs)
        self.readers = tuple(reader_of(source) for source in signature.inputs)
        self.known = frozenset(self.names)
        self.unknown: Fault = ("unknown_field", f"This input is not known; expected {listed(self.names)}.")
        self._absent = [None if source.nullable else ABSENT for source in signature.inputs]
        getter = itemgetter(*self.names)
        self._cells = getter if len(self.names) > 1 else lambda row: (getter(row),)

    def read(
        self, rows: Sequence[Any], *, path: str = "instances", is_single: bool = False, max_rows: int = MAX_ROWS
    ) -> ParsedRows:
        """Check rows: objects by name, or lists in the signature's order."""
        max_rows = most_rows(len(self.names), max_rows)
        if not rows:
            raise InvalidInput(InputProblem(path, "empty", "There are no rows; expected at least one."))
        if len(rows) > max_rows:
            detail = f"Found {len(rows):,} rows; at most {max_rows:,} are taken at once."
            raise InvalidInput(InputProblem(path, "too_many_rows", detail))
        located: list[Located] = []
        cells = self._all_cells(rows, located)
        return self.read_columns(
            list(zip(*cells, strict=True)), located, path="" if is_single else path, n_rows=len(rows)
        )

    def read_columns(
        self,
        columns: Sequence[Values],
        located: list[Located],
        *,
        path: str,
        n_rows: int,
        table: Table | None = None,
    ) -> ParsedRows:
        """Check columns in the signature's order; `located` has the faults found before, `path` is "" for a bare row."""
        arrays: dict[str, Array] = {}
        for position, (name, reader, values) in enumerate(zip(self.names, self.readers, columns, strict=True)):
            array = reader.read(values)
            if array is None or located:
                located += _located(position, name, reader.faults(values))
            else:
                arrays[name] = array
        if located:
            raise InvalidInput(*_problems(located, path))
        return ParsedRows(Batch(arrays, n_rows), not path, self.warnings(dict(enumerate(columns)), path=path), table)

    def warnings(self, columns: Mapping[int, Values], *, path: str) -> tuple[InputProblem, ...]:
        """Return what is to be said of columns that fit, by their positions in the signature."""
        located: list[Located] = []
        for position, values in columns.items():
            located += _located(position, self.names[position], self.readers[position].warnings(values))
        return _problems(located, path) if located else ()

    def _all_cells(self, rows: Sequence[Any], located: list[Located]) -> list[Sequence[Any]]:
        # Optimization: rows that have just the right keys, the usual case, are taken apart without a look at each key.
        known = self.known
        return [
            self._cells(row) if type(row) is dict and row.keys() == known else self._looked_at(number, row, located)
            for number, row in enumerate(rows)
        ]

    def _looked_at(self, number: int, row: Any, located: list[Located]) -> Sequence[Any]:
        if isinstance(row, dict):
            self._find_unknown(number, row, located)
            return [row.get(name, absent) for name, absent in zip(self.names, self._absent, strict=True)]
        if isinstance(row, list) and len(row) == len(self.names):
            return row
        _append(located, (number, -1, "", self._shape_fault(row)))
        return [REPORTED] * len(self.names)

    def _find_unknown(self, number: int, row: dict[str, Any], located: list[Located]) -> None:
        for key in row:
            if key not in self.known:
                _append(located, (number, len(self.names), key, self.unknown))

    def _shape_fault(self, row: Any) -> Fault:
        if isinstance(row, list):
            return (
                "wrong_length",
                f"Found {len(row)} values; expected {len(self.names)}, in the order of the signature.",
            )
        return (
            "not_an_object",
            f"Found {shown(row)}; expected an object of inputs, or a list of {len(self.names)} values.",
        )


#: The reader of a signature, made at its first use.
row_reader = Derived(RowReader)


def _located(position: int, name: str, found: Iterator[tuple[int, Fault]]) -> list[Located]:
    return [(row, position, name, fault) for row, fault in itertools.islice(found, MAX_PROBLEMS)]


def _append(located: list[Located], fault: Located) -> None:
    if len(located) < MAX_PROBLEMS:
        located.append(fault)


def _problems(located: list[Located], path: str) -> tuple[InputProblem, ...]:
    """Return the first problems, row by row and in each row in the signature's order."""
    ordered = sorted(located, key=itemgetter(0, 1))[:MAX_PROBLEMS]
    return tuple(
        InputProblem(place(path, row, name) if path else place(name), code, detail)
        for row, _, name, (code, detail) in ordered
    )
