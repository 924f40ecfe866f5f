"""Class labels as a signature has them: one dtype per kind, whatever library or graph they came from."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from foretell.inference.batch import Array
from foretell.inference.signature import Label


def label_dtype(classes: Sequence[Label]) -> Any:
    """Return the dtype of an array of these labels: bool, int64, float64, or object for words."""
    kinds = {type(label) for label in classes}
    if kinds == {bool}:
        return np.bool_
    if kinds and kinds <= {int}:
        return np.int64
    if kinds and kinds <= {int, float}:
        return np.float64
    return object


def as_labels(values: Any, classes: Sequence[Label]) -> Array:
    """Return `values` as a one-dimensional array of labels with the dtype of `classes`; without classes, int64."""
    flat = np.asarray(values).reshape(-1)
    if not classes:
        return flat.astype(np.int64)
    dtype = label_dtype(classes)
    if dtype is not object:
        return _from_words(flat, classes) if flat.dtype.kind in "OUS" else flat.astype(dtype)
    return np.array([value if isinstance(value, str) else str(value) for value in flat.tolist()], dtype=object)


def _from_words(flat: Array, classes: Sequence[Label]) -> Array:
    """Read labels that a graph spells as words, such as "True" or "3"."""
    spelt = {str(label): label for label in classes}
    return np.array([spelt.get(str(value), value) for value in flat.tolist()]).astype(label_dtype(classes))


def label_text(label: Label) -> str:
    """Return a class as the key of an object or the name of a column."""
    return str(label).lower() if isinstance(label, bool) else str(label)
