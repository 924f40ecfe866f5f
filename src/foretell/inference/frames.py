"""A Batch as what an estimator was fitted on: a data frame by name, a bare matrix, or a list of texts.

Runs where the estimator is (the author's process or a locked child): needs pandas.
"""

from typing import Any

import numpy as np

from foretell.inference.batch import Array, Batch
from foretell.inference.columns import has_numbers
from foretell.inference.signature import DType, Signature


def estimator_input(estimator: Any, signature: Signature, batch: Batch) -> Any:
    """Return the rows in the form in which `estimator` knows them."""
    if _takes_texts(estimator, signature):
        return _filled(batch.columns[signature.inputs[0].name])
    if _knows_names(estimator):
        return frame(signature, batch, categorical=categorical_columns(estimator, signature))
    return matrix(signature, batch)


def frame(signature: Signature, batch: Batch, *, categorical: dict[str, list[Any]] | None = None) -> Any:
    """Return a pandas DataFrame with the signature's columns; `categorical` ones get pandas' category dtype."""
    import pandas as pd

    columns: dict[str, Any] = {column.name: _filled(batch.columns[column.name]) for column in signature.inputs}
    for name, categories in (categorical or {}).items():
        columns[name] = pd.Categorical(columns[name], categories=categories)
    return pd.DataFrame(columns)


def matrix(signature: Signature, batch: Batch) -> Array:
    """Return an array of shape (n_rows, n_inputs): float64, or objects when there are words among them."""
    columns = [_filled(batch.columns[column.name]) for column in signature.inputs]
    dtype: Any = object if any(column.dtype == object for column in columns) else np.float64
    table = np.empty((batch.n_rows, len(columns)), dtype=dtype)
    for position, column in enumerate(columns):
        table[:, position] = column
    return table


def _filled(column: Array) -> Array:
    """Spell a missing value as NaN, as pandas and scikit-learn do, and not as None."""
    if column.dtype != object:
        return column
    filled = column.copy()
    filled[[value is None for value in column]] = np.nan
    return filled


def _knows_names(estimator: Any) -> bool:
    if getattr(estimator, "feature_names_in_", None) is not None:
        return True
    # An estimator that says neither names nor width (a function, a foreign class) may well select by name.
    return not hasattr(estimator, "n_features_in_")


def _takes_texts(estimator: Any, signature: Signature) -> bool:
    """Whether the first step is a vectoriser, which takes a list of texts and not a table."""
    first = estimator
    while hasattr(first, "steps") and first.steps:
        first = first.steps[0][1]
    column = signature.inputs[0]
    holds_words = column.dtype in (DType.STRING, DType.CATEGORY) and not has_numbers(column)
    return len(signature.inputs) == 1 and holds_words and _is_vectoriser(first)


def _is_vectoriser(step: Any) -> bool:
    return hasattr(step, "build_analyzer")


def categorical_columns(estimator: Any, signature: Signature) -> dict[str, list[Any]]:
    """Return the columns that must have pandas' category dtype, with the categories of training in their order.

    LightGBM counts the columns of that dtype and wants as many as in training; XGBoost reads codes by it.
    """
    candidates = [column for column in signature.inputs if column.dtype is DType.CATEGORY]
    booster = getattr(last_step(estimator), "booster_", None) if candidates else None
    known = getattr(booster, "pandas_categorical", None)
    if known:
        return _matched(known, signature)
    if candidates and getattr(last_step(estimator), "enable_categorical", False):
        return {
            column.name: sorted(column.categories, key=str) if not has_numbers(column) else sorted(column.categories)
            for column in candidates
        }
    return {}


def _matched(known: list[list[Any]], signature: Signature) -> dict[str, list[Any]]:
    """Pair LightGBM's lists of categories, which have no names, with the inputs that hold the same values, in order."""
    columns, inputs = {}, list(signature.inputs)
    for categories in known:
        wanted = {str(category) for category in categories}
        for position, column in enumerate(inputs):
            if column.dtype is DType.CATEGORY and {str(label) for label in column.categories} <= wanted:
                columns[column.name] = categories
                del inputs[: position + 1]
                break
    return columns


def last_step(estimator: Any) -> Any:
    """Return what answers in the end: the last step of a pipeline, or the estimator itself."""
    while hasattr(estimator, "steps") and estimator.steps:
        estimator = estimator.steps[-1][1]
    return estimator
