"""What goes into a model and what comes out of it: columns of numpy arrays, never rows of Python objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Validated rows, one array of shape (n_rows,) per input, in the signature's order.

    ``float`` and nullable ``int`` are float64 with NaN where a value is missing; ``int`` is int64; ``bool`` is bool
    (nullable: object with None); ``string`` and ``category`` of words are object arrays of str with None where
    missing; ``category`` of numbers is float64 or int64; ``datetime`` is datetime64[us] with NaT where missing.
    """

    columns: Mapping[str, Array]
    n_rows: int

    def take(self, indices: Array) -> "Batch":
        return Batch({name: column[indices] for name, column in self.columns.items()}, len(indices))


@dataclass(frozen=True, slots=True)
class OutputValues:
    """One output's answers.

    values : shape (n_rows,): class labels as the signature has them (object, int64 or bool), or float64 numbers.
    probabilities : shape (n_rows, n_classes), float64, columns in the order of the output's classes; or None.
    """

    values: Array
    probabilities: Array | None = None

    def take(self, indices: Array) -> "OutputValues":
        return OutputValues(self.values[indices], None if self.probabilities is None else self.probabilities[indices])


@dataclass(frozen=True, slots=True)
class Predictions:
    """A model's answer to a Batch: one OutputValues per output of the signature, by name, in its order."""

    outputs: Mapping[str, OutputValues]
    n_rows: int
    details: Mapping[str, Any] = field(default_factory=dict)

    def take(self, indices: Array) -> "Predictions":
        return Predictions(
            {name: values.take(indices) for name, values in self.outputs.items()}, len(indices), self.details
        )
