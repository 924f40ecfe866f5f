"""How the columns of a Batch become the tensors that a graph asks for.

A graph takes its columns as tensors of shape (n_rows, width): one matrix of all of them, one tensor per column, or
anything between. Tensors of width 1 that are all named like inputs are filled by name; otherwise the inputs are dealt
out in the signature's order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from foretell.inference.batch import Array, Batch
from foretell.inference.errors import UnsupportedModel
from foretell.inference.signature import DType, Signature

NUMPY_TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}


class Tensor(Protocol):
    """What onnxruntime says about one input or output of a graph."""

    name: str
    type: str
    shape: Sequence[int | str | None]


@dataclass(frozen=True, slots=True)
class Feed:
    """One graph input and the columns that fill it, left to right."""

    name: str
    dtype: Any
    columns: tuple[str, ...]
    is_flat: bool  #: of shape (n_rows,) instead of (n_rows, width)
    first: int  #: position of the first column among the signature's inputs

    def fill(self, batch: Batch) -> Array:
        """Return the tensor; it may share memory with the batch."""
        matrix = batch.matrix
        if matrix is not None:
            tensor = self._part_of(matrix)
        elif len(self.columns) == 1:
            tensor = self._cast(batch.columns[self.columns[0]]).reshape(-1, 1)
        else:
            tensor = self._joined(batch)
        return tensor[:, 0] if self.is_flat else tensor

    def _part_of(self, matrix: Array) -> Array:
        width = len(self.columns)
        if width != matrix.shape[1]:
            matrix = matrix[:, self.first : self.first + width]
        return matrix if self.dtype is np.float64 else _as_type(matrix, self.dtype)

    def _joined(self, batch: Batch) -> Array:
        tensor = np.empty((batch.n_rows, len(self.columns)), self.dtype)
        for position, name in enumerate(self.columns):
            tensor[:, position] = self._cast(batch.columns[name])
        return tensor

    def _cast(self, column: Array) -> Array:
        if column.dtype != object:
            return column if column.dtype == self.dtype else _as_type(column, self.dtype)
        values = column.tolist()
        if self.dtype is object and None not in values:
            return column
        # Converters know the missing word as '' only; the missing bool of a float tensor is NaN.
        missing = "" if self.dtype is object else np.nan
        return np.array([missing if value is None else value for value in values], dtype=self.dtype)


def _as_type(values: Array, dtype: Any) -> Array:
    # A float64 beyond float32's range becomes infinite: the side of every threshold it was on stays the same.
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(dtype)


def feeds_for(tensors: Sequence[Tensor], signature: Signature) -> tuple[Feed, ...]:
    """Deal the signature's inputs out to the graph's.

    Raises
    ------
    UnsupportedModel
        when types, ranks or the number of columns do not fit.
    """
    names = [column.name for column in signature.inputs]
    by_name = _are_named(tensors, names)
    feeds, position = [], 0
    for tensor in tensors:
        width = _width(tensor)
        first = names.index(tensor.name) if by_name else position
        columns = tuple(names[first : first + width])
        feeds.append(Feed(tensor.name, _dtype(tensor), columns, len(tensor.shape) == 1, first))
        position += width
    if not by_name and position != len(names):
        raise UnsupportedModel(f"The graph takes {position} columns, but the signature has {len(names)} inputs.")
    for feed in feeds:
        _require_matching_types(feed, signature)
    return tuple(feeds)


def _are_named(tensors: Sequence[Tensor], names: Sequence[str]) -> bool:
    """Whether the graph takes its columns by name; it may leave some out, but not know others."""
    found = [_width(tensor) == 1 and tensor.name in names for tensor in tensors]
    if any(found) and not all(found):
        unknown = next(tensor.name for tensor, is_known in zip(tensors, found, strict=True) if not is_known)
        raise UnsupportedModel(
            f"The graph takes {unknown!r}, which is no input of the signature: {', '.join(names[:20])}."
        )
    return all(found)


def _dtype(tensor: Tensor) -> Any:
    try:
        return NUMPY_TYPES[tensor.type]
    except KeyError:
        raise UnsupportedModel(
            f"The graph's input {tensor.name!r} is a {tensor.type}; possible are {', '.join(NUMPY_TYPES)}."
        ) from None


def _width(tensor: Tensor) -> int:
    if len(tensor.shape) not in (1, 2):
        raise UnsupportedModel(
            f"The graph's input {tensor.name!r} has rank {len(tensor.shape)}; tables have shape (n_rows, n_columns)."
        )
    if isinstance(tensor.shape[0], int):
        raise UnsupportedModel(
            f"The graph's input {tensor.name!r} takes exactly {tensor.shape[0]} rows; export it with a dynamic first axis."
        )
    width = tensor.shape[1] if len(tensor.shape) == 2 else 1
    if not isinstance(width, int) or width < 1:
        raise UnsupportedModel(
            f"The graph's input {tensor.name!r} does not say how many columns it takes; export it with a fixed second axis."
        )
    return width


def _require_matching_types(feed: Feed, signature: Signature) -> None:
    for name in feed.columns:
        column = signature.input(name)
        is_text = column.dtype is DType.STRING or (
            column.dtype is DType.CATEGORY and any(isinstance(label, str) for label in column.categories)
        )
        if column.dtype is DType.DATETIME or is_text != (feed.dtype is object):
            found = np.dtype(feed.dtype).name if feed.dtype is not object else "string"
            raise UnsupportedModel(f"The graph takes {name!r} as {found}, but the signature says {column.dtype.value}.")
        if column.nullable and feed.dtype in (np.int64, np.int32, np.bool_):
            raise UnsupportedModel(
                f"The graph takes {name!r} as {np.dtype(feed.dtype).name}, which has no missing value, but the signature allows one."
            )
