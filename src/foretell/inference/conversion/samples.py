"""The author's sample as a Batch: typed by the signature, cut to a sensible number of rows."""

from typing import Any

import numpy as np

from foretell.inference.batch import Array, Batch
from foretell.inference.columns import column_dtype
from foretell.inference.errors import SampleMismatch
from foretell.inference.signature import DType, Input, Signature
from foretell.inference.signature_checks import is_clean_text

MAX_ROWS = 2_000  # beyond that, more rows of the same sample find nothing new


def sample_batch(signature: Signature, sample: Any, *, max_rows: int = MAX_ROWS) -> Batch:
    """Return at most `max_rows` rows of the pandas DataFrame `sample`, evenly spread over it.

    Rows that the signature does not allow (infinite numbers, missing values where none may be, texts that no caller can send) are
    left out.

    Raises
    ------
    SampleMismatch
        names the columns that are missing, or the one whose values do not fit.
    """
    sample = sample.rename(columns=str)  # a frame made of an array has numbers for names
    _require_columns(signature, sample)
    columns = {column.name: _typed(column, sample[column.name]) for column in signature.inputs}
    usable = np.ones(len(sample), dtype=bool)
    for column in signature.inputs:
        usable &= _usable(column, columns[column.name])
    chosen = np.flatnonzero(usable)
    if len(chosen) > max_rows:
        chosen = chosen[np.linspace(0, len(chosen) - 1, max_rows).astype(int)]
    kept = {
        column.name: columns[column.name][chosen].astype(column_dtype(column), copy=False)
        for column in signature.inputs
    }
    return Batch(kept, len(chosen))


def _require_columns(signature: Signature, sample: Any) -> None:
    missing = [column.name for column in signature.inputs if column.name not in sample.columns]
    if missing:
        found = ", ".join(str(name) for name in list(sample.columns)[:20])
        raise SampleMismatch(
            f"The sample lacks {', '.join(missing[:20])}; it has {found}. Send the columns that the estimator was fitted on."
        )


def _typed(column: Input, series: Any) -> Array:
    dtype = column_dtype(column)
    try:
        if column.dtype is DType.DATETIME:
            import pandas as pd

            return np.asarray(pd.to_datetime(series).to_numpy(), dtype="datetime64[us]")
        if dtype is object:
            return _objects(column, series)
        # Numbers stay float64 until the rows with infinite or missing ones, which have no integer, are left out.
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise SampleMismatch(
            f"The sample's column {column.name!r} does not hold {column.dtype.value} values: {error}"
        ) from None


def _objects(column: Input, series: Any) -> Array:
    present = series.notna().to_numpy()
    values = np.empty(len(series), dtype=object)
    kind: Any = bool if column.dtype is DType.BOOL else str
    values[present] = [kind(value) for value in series[present]]
    return values


def _usable(column: Input, values: Array) -> Array:
    if values.dtype == object:
        present = np.array([value is not None for value in values], dtype=bool)
        clean = np.array([not isinstance(value, str) or is_clean_text(value) for value in values], dtype=bool)
        usable: Array = (present | column.nullable) & clean
        return usable
    if values.dtype.kind == "M":
        present = ~np.isnat(values)
    else:
        present = ~np.isnan(values)
        return (present | column.nullable) & ~np.isinf(values)
    return present | column.nullable
