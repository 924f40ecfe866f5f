"""A Batch as JSON-able columns, and back with every value checked: how examples are stored and sent."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foretell.inference.batch import Array, Batch
from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import DType, Input, Signature


def batch_to_json(batch: Batch) -> dict[str, list[Any]]:
    """Return the columns as lists of plain values; missing ones are None, dates ISO 8601."""
    return {name: _plain_list(column) for name, column in batch.columns.items()}


def batch_from_json(signature: Signature, data: Any, *, max_rows: int) -> Batch:
    """Read what `batch_to_json` wrote.

    Raises
    ------
    InvalidSignature
        names the column whose values do not fit the signature.
    """
    names = [column.name for column in signature.inputs]
    if not isinstance(data, Mapping) or set(data) != set(names):
        raise InvalidSignature(f"Examples have a column for each input and no other: {', '.join(names[:20])}.")
    lengths = {len(values) if isinstance(values, list) else -1 for values in data.values()}
    if len(lengths) != 1 or not 0 <= (n_rows := lengths.pop()) <= max_rows:
        raise InvalidSignature(f"Examples have at most {max_rows} rows, the same number in every column.")
    return Batch({column.name: typed_column(column, data[column.name]) for column in signature.inputs}, n_rows)


def typed_column(column: Input, values: Sequence[Any]) -> Array:
    """Return plain values as the array that a Batch has for this input."""
    allowed = _python_types(column)
    for value in values:
        is_missing = value is None and column.nullable
        if not is_missing and (type(value) not in allowed or (isinstance(value, float) and not np.isfinite(value))):
            raise InvalidSignature(
                f"The example of {column.name!r} has {value!r:.80}, which is no {column.dtype.value}."
            )
    return _array(column, values)


def _array(column: Input, values: Sequence[Any]) -> Array:
    dtype = column_dtype(column)
    if dtype is object:
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    if column.dtype is DType.DATETIME:
        return _dates(column, values)
    try:
        return np.array([np.nan if value is None else value for value in values], dtype=dtype)
    except OverflowError:
        raise InvalidSignature(f"The example of {column.name!r} has an integer of more than 64 bits.") from None


def _dates(column: Input, values: Sequence[Any]) -> Array:
    try:
        return np.array(["NaT" if value is None else value for value in values], dtype="datetime64[us]")
    except ValueError:
        raise InvalidSignature(f"The example of {column.name!r} has a value that is no ISO 8601 date.") from None


def column_dtype(column: Input) -> Any:
    """Return the dtype that a Batch has for this input; see `Batch`."""
    if column.dtype is DType.DATETIME:
        return np.dtype("datetime64[us]")
    if column.dtype is DType.FLOAT:
        return np.float64
    if column.dtype is DType.INT:
        return np.float64 if column.nullable else np.int64
    if column.dtype is DType.BOOL:
        return object if column.nullable else np.bool_
    if column.dtype is DType.CATEGORY and has_numbers(column):
        return (
            np.int64 if not column.nullable and all(type(label) is int for label in column.categories) else np.float64
        )
    return object


def has_numbers(column: Input) -> bool:
    """Whether the categories are numbers and not words."""
    return bool(column.categories) and all(isinstance(label, (int, float)) for label in column.categories)


def _python_types(column: Input) -> tuple[type, ...]:
    if column.dtype in (DType.FLOAT, DType.INT) or (column.dtype is DType.CATEGORY and has_numbers(column)):
        return (int, float)
    return (bool,) if column.dtype is DType.BOOL else (str,)


def _plain_list(column: Array) -> list[Any]:
    if column.dtype.kind == "M":
        return [None if spelt == "NaT" else spelt for spelt in np.datetime_as_string(column).tolist()]
    plain: list[Any] = column.tolist()
    # Optimization: one look at the whole column tells that nothing of it is missing, which is the usual case.
    if column.dtype.kind in "biu" or (column.dtype.kind == "f" and np.isfinite(column).all()):
        return plain
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in plain]
