"""Rows around a sample, where a graph in another precision is most likely to answer otherwise.

The classic trap is a tree's threshold: it lies half-way between two values of the sample, and a float32 beside it may
fall on the other side. So rows are made with exactly such midpoints, with small steps around known values, with each
column's least and greatest value, with each category, and with values missing where they may be.
"""

from collections.abc import Iterator

import numpy as np

from foretell.inference.batch import Array, Batch, OutputValues, Predictions
from foretell.inference.columns import column_dtype
from foretell.inference.signature import DType, Input, Signature

_MAX_PER_KIND = 256
_MAX_CATEGORIES = 64
_MADE_UP_ROWS = 256


def neighbours(signature: Signature, sample: Batch, *, seed: int = 0) -> list[Batch]:
    """Return batches of rows around the sample's, a batch for each kind; the same for the same sample."""
    rng = np.random.default_rng(seed)
    return list(_neighbours(signature, sample, rng)) if sample.n_rows else []


def made_up(signature: Signature, *, n_rows: int = _MADE_UP_ROWS, seed: int = 0) -> Batch:
    """Return rows from the signature alone, for an author who sends no sample."""
    rng = np.random.default_rng(seed)
    return Batch({column.name: _random_column(column, n_rows, rng) for column in signature.inputs}, n_rows)


def concatenated(batches: list[Batch]) -> Batch:
    names = list(batches[0].columns)
    columns = {name: np.concatenate([batch.columns[name] for batch in batches]) for name in names}
    return Batch(columns, sum(batch.n_rows for batch in batches))


def joined(answers: list[Predictions]) -> Predictions:
    outputs = {name: _joined_values([part.outputs[name] for part in answers]) for name in answers[0].outputs}
    return Predictions(outputs, sum(part.n_rows for part in answers))


def _joined_values(parts: list[OutputValues]) -> OutputValues:
    blocks = [part.probabilities for part in parts if part.probabilities is not None]
    return OutputValues(np.concatenate([part.values for part in parts]), np.concatenate(blocks) if blocks else None)


def _neighbours(signature: Signature, sample: Batch, rng: np.random.Generator) -> Iterator[Batch]:
    numbers = [column for column in signature.inputs if _is_number(column)]
    base = sample.take(rng.integers(0, sample.n_rows, min(_MAX_PER_KIND, max(sample.n_rows, 32))))
    if numbers:
        yield _replaced(base, {column.name: _jittered(column, base.columns[column.name], rng) for column in numbers})
        yield _replaced(base, {column.name: _midpoints(column, sample, base.n_rows, rng) for column in numbers})
        yield _replaced(base, {column.name: _edges(column, sample, base.n_rows, rng) for column in numbers})
    yield from _each_category(signature, sample, rng)
    yield from _missing(signature, base, rng)


def _is_number(column: Input) -> bool:
    return column.dtype in (DType.FLOAT, DType.INT)


def _replaced(batch: Batch, columns: dict[str, Array]) -> Batch:
    return Batch({**batch.columns, **columns}, batch.n_rows)


def _jittered(column: Input, values: Array, rng: np.random.Generator) -> Array:
    """Step away from known values by up to a hundredth of their range; integers by one."""
    if column.dtype is DType.INT:
        return _within(column, values + rng.integers(-1, 2, len(values)), values)
    spread = np.nanmax(values) - np.nanmin(values) if np.isfinite(values).any() else 0.0
    return _within(column, values + rng.uniform(-0.01, 0.01, len(values)) * (spread or 1.0), values)


def _midpoints(column: Input, sample: Batch, n_rows: int, rng: np.random.Generator) -> Array:
    """Draw points half-way between neighbouring values of the sample, and the float64s on either side of them."""
    known = _known(sample.columns[column.name])
    if len(known) < 2 or column.dtype is DType.INT:
        return _drawn(column, known, n_rows, rng)
    middles = (known[:-1] + known[1:]) / 2
    points = np.concatenate([middles, np.nextafter(middles, -np.inf), np.nextafter(middles, np.inf)])
    return _drawn(column, points, n_rows, rng)


def _edges(column: Input, sample: Batch, n_rows: int, rng: np.random.Generator) -> Array:
    """Draw from the least and greatest value, and from just outside of them."""
    known = _known(sample.columns[column.name])
    if not len(known):
        return _drawn(column, known, n_rows, rng)
    low, high = known[0], known[-1]
    step = (high - low) / 10 or 1
    points = np.array([low, high, low - step, high + step])
    return _drawn(column, np.round(points) if column.dtype is DType.INT else points, n_rows, rng)


def _known(values: Array) -> Array:
    return np.unique(values[np.isfinite(values)])


def _drawn(column: Input, points: Array, n_rows: int, rng: np.random.Generator) -> Array:
    points = points if len(points) else np.zeros(1)
    drawn = rng.choice(points, n_rows).astype(column_dtype(column))
    return _within(column, drawn, drawn)


def _within(column: Input, values: Array, otherwise: Array) -> Array:
    """Keep to the author's limits: what the codec refuses need not agree."""
    low, high = column.limits or (None, None)
    allowed = np.ones(len(values), dtype=bool)
    if low is not None:
        allowed &= ~(values < low)
    if high is not None:
        allowed &= ~(values > high)
    kept = np.where(allowed, values, otherwise)
    return kept.astype(column_dtype(column))


def _each_category(signature: Signature, sample: Batch, rng: np.random.Generator) -> Iterator[Batch]:
    """Put each category of each column into a few rows, so that rare ones are compared too."""
    for column in signature.inputs:
        if column.dtype is not DType.CATEGORY or not column.categories:
            continue
        labels = list(column.categories[:_MAX_CATEGORIES])
        rows = sample.take(rng.integers(0, sample.n_rows, len(labels)))
        values = np.array(labels, dtype=column_dtype(column))
        yield _replaced(rows, {column.name: values})


def _missing(signature: Signature, base: Batch, rng: np.random.Generator) -> Iterator[Batch]:
    """Leave values out, one column at a time and then several at once."""
    nullable = [column for column in signature.inputs if column.nullable]
    for column in nullable[:32]:
        rows = base.take(rng.integers(0, base.n_rows, 8))
        yield _replaced(rows, {column.name: _blank(column, rows, np.ones(8, dtype=bool))})
    if nullable:
        rows = base.take(rng.integers(0, base.n_rows, 64))
        yield _replaced(rows, {column.name: _blank(column, rows, rng.random(64) < 0.5) for column in nullable})


def _blank(column: Input, rows: Batch, chosen: Array) -> Array:
    values = rows.columns[column.name].copy()
    values[chosen] = None if values.dtype == object else np.datetime64("NaT") if values.dtype.kind == "M" else np.nan
    return values


def _random_column(column: Input, n_rows: int, rng: np.random.Generator) -> Array:
    dtype = column_dtype(column)
    if column.categories:
        return np.array(list(column.categories), dtype=dtype)[rng.integers(0, len(column.categories), n_rows)]
    if column.dtype is DType.BOOL:
        return rng.integers(0, 2, n_rows).astype(bool).astype(dtype)
    if column.dtype is DType.DATETIME:
        return np.datetime64("2020-01-01T00:00:00", "us") + rng.integers(0, 10**14, n_rows).astype("timedelta64[us]")
    if not _is_number(column):
        return np.array([f"word {number}" for number in rng.integers(0, 20, n_rows)], dtype=object)
    low, high = column.range or (None, None)
    values = rng.standard_normal(n_rows) * 2 if low is None or high is None else rng.uniform(low, high, n_rows)
    values = np.round(values) if column.dtype is DType.INT else values
    return _within(column, values, np.full(n_rows, _allowed(column)))


def _allowed(column: Input) -> float:
    low, high = column.limits or (None, None)
    return float(low if low is not None else high if high is not None else 0.0)
