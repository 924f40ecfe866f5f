"""A copy of an estimator in the form that its converter understands; the author's own stays untouched."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np


def prepared(estimator: Any) -> Any:
    """Return a copy that answers the same; its missing word is '' and no longer NaN, which is what a graph knows."""
    ready = copy.deepcopy(estimator)
    for part in parts(ready):
        kind = type(part).__name__
        if kind == "SimpleImputer" and _holds_words(getattr(part, "statistics_", None)):
            part.missing_values = ""
        elif kind in ("OneHotEncoder", "OrdinalEncoder") and hasattr(part, "categories_"):
            part.categories_ = [_with_blank(categories) for categories in part.categories_]
        elif kind == "VotingClassifier":
            part.flatten_transform = False  # a matter of transform() alone, which its converter insists on
    return ready


def selects_by_name(estimator: Any) -> bool:
    """Whether a step picks its columns by their names, so that the graph needs one input for each."""
    return any(type(part).__name__ == "ColumnTransformer" and _names_columns(part) for part in parts(estimator))


def parts(estimator: Any) -> Iterator[Any]:
    """Walk over an estimator and the fitted ones inside it."""
    seen: set[int] = set()
    waiting = [estimator]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, (str, bytes, np.ndarray)):
            continue
        seen.add(id(part))
        if hasattr(part, "fit"):
            yield part
        waiting.extend(_inside(part))


def _inside(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, (list, tuple)):
        return list(part) if len(part) < 10_000 else []
    if not hasattr(part, "fit"):
        return []
    return [value for value in vars(part).values() if hasattr(value, "fit") or isinstance(value, (list, tuple, dict))]


def _names_columns(transformer: Any) -> bool:
    chosen = [columns for _, _, columns in transformer.transformers_]
    flat = [
        name
        for columns in chosen
        for name in (columns if isinstance(columns, (list, tuple, np.ndarray)) else [columns])
    ]
    return any(isinstance(name, str) for name in flat)


def _holds_words(statistics: Any) -> bool:
    return statistics is not None and any(isinstance(value, str) for value in np.asarray(statistics).ravel())


def _with_blank(categories: Any) -> Any:
    if categories.dtype.kind != "O" or not any(isinstance(label, str) for label in categories):
        return categories
    return np.array([label if isinstance(label, str) else "" for label in categories], dtype=object)
