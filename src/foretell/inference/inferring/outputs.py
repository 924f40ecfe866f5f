"""What an estimator answers: its outputs, their tasks and classes, and whether it states probabilities.

What the estimator declares and what it does are not always the same, so it is asked a few rows where that is possible.
"""

import contextlib
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from foretell.inference.batch import Array
from foretell.inference.errors import UnsupportedModel
from foretell.inference.frames import last_step
from foretell.inference.signature import MAX_CLASSES, MAX_OUTPUTS, Label, Output, Task

PREDICTION = "prediction"


def infer_outputs(estimator: Any, rows: Any, *, target: str | None) -> tuple[Output, ...]:
    """Return the outputs of a fitted estimator.

    Parameters
    ----------
    rows
        A few rows in the form in which the estimator takes them, or None where there are none.
    target
        Names the only output of a model that predicts one value.

    Raises
    ------
    UnsupportedModel
        when it can neither predict nor transform, or answers more columns than a signature has room for.
    """
    if hasattr(estimator, "predict"):
        outputs = _predicted(estimator, rows, target or PREDICTION)
    elif hasattr(estimator, "transform"):
        outputs = _transformed(estimator, rows)
    else:
        raise UnsupportedModel(f"{type(estimator).__name__} has neither predict() nor transform().")
    if len(outputs) > MAX_OUTPUTS:
        raise UnsupportedModel(
            f"The model answers {len(outputs):,} columns, but at most {MAX_OUTPUTS:,} can be served."
        )
    return outputs


def _predicted(estimator: Any, rows: Any, name: str) -> tuple[Output, ...]:
    answers = _asked(estimator.predict, rows)
    columns = _classes_by_output(estimator, answers)
    if columns is None:
        return _regression(estimator, answers, name)
    has_probabilities = _have_probabilities(estimator, None if answers is None else rows, columns)
    names = [name] if len(columns) == 1 else [f"y{position}" for position in range(len(columns))]
    task = Task.CLUSTERING if _is_clusterer(estimator) else None
    return tuple(
        _classification(name, classes, task, probabilities=has_probabilities)
        for name, classes in zip(names, columns, strict=True)
    )


def _classification(name: str, classes: list[Label], task: Task | None, *, probabilities: bool) -> Output:
    task = task or (Task.BINARY if len(classes) == 2 else Task.MULTICLASS)
    return Output(name=name, task=task, classes=tuple(classes), probabilities=probabilities and bool(classes))


def _regression(estimator: Any, answers: Array | None, name: str) -> tuple[Output, ...]:
    width = _width(answers) if answers is not None else _declared_width(estimator)
    names = [name] if width == 1 else [f"y{position}" for position in range(width)]
    return tuple(Output(name=name, task=Task.REGRESSION) for name in names)


def _declared_width(estimator: Any) -> int:
    last = last_step(estimator)
    for attribute in ("n_outputs_", "n_targets_", "_n_targets"):
        if isinstance(found := getattr(last, attribute, None), int | np.integer):
            return int(found)
    coefficients = np.asarray(getattr(last, "coef_", ()))
    return coefficients.shape[0] if coefficients.ndim == 2 and coefficients.shape[0] > 1 else 1


def _transformed(estimator: Any, rows: Any) -> tuple[Output, ...]:
    names: list[str] = []
    with contextlib.suppress(Exception):  # not every transformer knows the names of what it makes
        names = [str(name) for name in estimator.get_feature_names_out()]
    answers = _asked(estimator.transform, rows)
    width = _width(answers) if answers is not None else len(names)
    if not width:
        raise UnsupportedModel(
            f"{type(estimator).__name__} does not say which columns it makes; send a sample with it."
        )
    if len(names) != width or len(set(names)) != width or not all(names):
        names = [f"x{position}" for position in range(width)]
    return tuple(Output(name=name, task=Task.TRANSFORM) for name in names)


def _classes_by_output(estimator: Any, answers: Array | None) -> list[list[Label]] | None:
    """Return the labels of each output, or None when the model answers numbers."""
    if _is_clusterer(estimator):
        return [_clusters(last_step(estimator))]
    if _kind(estimator) == "outlier_detector":
        return [[-1, 1]]
    declared = getattr(estimator, "classes_", None)
    if declared is None:
        return None
    if isinstance(declared, list):
        return [_labels(classes) for classes in declared]
    labels = _labels(declared)
    n_outputs = _width(answers) if answers is not None else 1
    # Multilabel: one list of labels, and for each of them a column that says whether it is there.
    return [labels] if n_outputs == 1 else [[0, 1] for _ in range(n_outputs)]


def _labels(classes: Any) -> list[Label]:
    labels = np.asarray(classes).tolist()
    if len(labels) > MAX_CLASSES:
        raise UnsupportedModel(
            f"The model has {len(labels):,} classes, but at most {MAX_CLASSES:,} can be served. Is it a regression?"
        )
    return [label if isinstance(label, bool | int | float | str) else str(label) for label in labels]


def _clusters(last: Any) -> list[Label]:
    found: set[int] = set()
    if isinstance(n_components := getattr(last, "n_components", None), int) and hasattr(last, "weights_"):
        found |= set(range(n_components))
    if hasattr(last, "cluster_centers_"):
        found |= set(range(len(last.cluster_centers_)))
    if hasattr(last, "labels_"):
        found |= {int(label) for label in np.unique(last.labels_)}
    return sorted(found) if len(found) <= MAX_CLASSES else []


def _is_clusterer(estimator: Any) -> bool:
    last = last_step(estimator)
    if _kind(estimator) == "clusterer":
        return True
    is_mixture = hasattr(last, "means_") and hasattr(last, "weights_") and hasattr(last, "converged_")
    has_clusters = hasattr(last, "cluster_centers_") or hasattr(last, "labels_")
    return is_mixture or (has_clusters and not hasattr(last, "classes_") and _kind(estimator) is None)


def _kind(estimator: Any) -> str | None:
    """Return what the estimator calls itself, such as "classifier" or "outlier_detector"."""
    from sklearn.utils import get_tags

    try:
        kind = get_tags(estimator).estimator_type
    except Exception:  # noqa: BLE001 - a foreign class may define tags of its own, in any way
        kind = getattr(estimator, "_estimator_type", None)
    return kind if isinstance(kind, str) else None


def _have_probabilities(estimator: Any, rows: Any, columns: list[list[Label]]) -> bool:
    """Whether predict_proba exists, and works, with a column for each class."""
    if not hasattr(estimator, "predict_proba") or not any(columns):
        return False
    if rows is None:
        return True
    with _quiet():
        try:
            found = estimator.predict_proba(rows)
        except Exception:  # noqa: BLE001 - some fail only when called, in any way
            return False
    if len(columns) > 1:
        return all(len(classes) == 2 for classes in columns) if not isinstance(found, list) else _fit(found, columns)
    return _fit([found], columns)


def _fit(blocks: list[Any], columns: list[list[Label]]) -> bool:
    shapes = [np.shape(block) for block in blocks]
    return len(shapes) == len(columns) and all(
        len(shape) == 2 and shape[1] == len(classes) for shape, classes in zip(shapes, columns, strict=True)
    )


def _asked(answer: Any, rows: Any) -> Array | None:
    """Return a few answers; None where the estimator gives up on these rows, which conversion will say in words."""
    if rows is None:
        return None
    with _quiet():
        try:
            found = answer(rows)
            return np.asarray(found.toarray() if hasattr(found, "toarray") else found)
        except Exception:  # noqa: BLE001 - an estimator may raise anything
            return None


def _width(answers: Array) -> int:
    return math.prod(answers.shape[1:])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
