"""What goes into a model and what comes out of it: columns of numpy arrays, never rows of Python objects.

Optimization: these are made for every prediction, so they are msgspec's structs: as immutable as frozen dataclasses, and made in a tenth of the time.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Batch(msgspec.Struct, frozen=True):
    """Validated rows, one array of shape (n_rows,) per input, in the signature's order.

    ``float`` and nullable ``int`` are float64 with NaN where a value is missing; ``int`` is int64; ``bool`` is bool
    (nullable: object with None); ``string`` and ``category`` of words are object arrays of str with None where
    missing; ``category`` of numbers is float64 or int64; ``datetime`` is datetime64[us] with NaT where missing.

    matrix : shape (n_rows, n_inputs), float64: the same values side by side, where every input is ``float`` or ``int``
        and the rows came that way.
    """

    columns: Mapping[str, Array]
    n_rows: int
    matrix: Array | None = None

    def take(self, indices: Array) -> "Batch":
        return Batch({name: column[indices] for name, column in self.columns.items()}, len(indices))


class MatrixColumns(Mapping[str, Array]):
    """The columns of a matrix by their names. Optimization: a column is taken out when it is asked for, which is seldom.

    whole : the names of ``int`` inputs that are never missing.
    """

    __slots__ = ("_matrix", "_positions", "_whole")

    def __init__(self, positions: Mapping[str, int], whole: frozenset[str], matrix: Array) -> None:
        self._positions, self._whole, self._matrix = positions, whole, matrix

    def __getitem__(self, name: str) -> Array:
        column: Array = self._matrix[:, self._positions[name]]
        return column.astype(np.int64) if name in self._whole else column

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


class OutputValues(msgspec.Struct, frozen=True):
    """One output's answers.

    values : shape (n_rows,): class labels as the signature has them (object, int64 or bool), or float64 numbers.
    probabilities : shape (n_rows, n_classes), float64, columns in the order of the output's classes; or None.
    """

    values: Array
    probabilities: Array | None = None

    def take(self, indices: Array) -> "OutputValues":
        return OutputValues(self.values[indices], None if self.probabilities is None else self.probabilities[indices])


class Predictions(msgspec.Struct, frozen=True):
    """A model's answer to a Batch: one OutputValues per output of the signature, by name, in its order.

    worker_s : for how long another process was busy with it, where one runs the model.
    """

    outputs: Mapping[str, OutputValues]
    n_rows: int
    worker_s: float = 0.0

    def take(self, indices: Array) -> "Predictions":
        return Predictions(
            {name: values.take(indices) for name, values in self.outputs.items()}, len(indices), self.worker_s
        )
