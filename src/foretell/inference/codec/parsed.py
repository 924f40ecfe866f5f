"""Rows that fit their signature, as every reader returns them."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from foretell.inference.batch import Batch
from foretell.inference.errors import InputProblem

MAX_ROWS = 100_000
MAX_CELLS = 5_000_000  # rows times inputs: missing values cost memory too, and a row of nothing else is two bytes
MAX_PROBLEMS = 100  # a person mends the first few; a program learns nothing from the rest


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a CSV body as they came, so that the answer can give the same rows back."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class ParsedRows(msgspec.Struct, frozen=True):
    """Typed rows.

    is_single : one bare row came, and not a list of rows; the answer has the same form.
    warnings : values that are allowed, but outside of what training has seen; at most 100.
    table : the cells as they came, where a CSV body was read.
    """

    batch: Batch
    is_single: bool = False
    warnings: tuple[InputProblem, ...] = ()
    table: Table | None = None


def most_rows(n_inputs: int, max_rows: int = MAX_ROWS) -> int:
    """Return how many rows of so many inputs are taken at once."""
    return min(max_rows, MAX_CELLS // n_inputs)
