"""A signature from a fitted estimator and rows as it takes them.

Runs where the estimator is: in the author's own process, or in a locked child. Needs pandas.

The inputs are the columns that the estimator needs, in the order of its ``feature_names_in_``. A column that its first
step, a ColumnTransformer that picks by name, drops is no input: scikit-learn answers without it, so that nobody fills
it in. Where an estimator may look at a column in a way that cannot be seen, the column is an input.
"""

from collections.abc import Sequence
from typing import Any

from foretell.inference.errors import InferenceError, NotFitted, SampleMismatch, UnsupportedModel
from foretell.inference.inferring.facts import Facts, Takes, column_facts
from foretell.inference.inferring.outputs import infer_outputs
from foretell.inference.inferring.parts import used_columns
from foretell.inference.inferring.sample_columns import input_from_sample, input_without_sample
from foretell.inference.signature import MAX_INPUTS, Input, Output, Signature, Task
from foretell.inference.signature_checks import checked

_PROBED_ROWS = 8
_SHOWN_NAMES = 20


def infer_signature(estimator: Any, sample: Any = None, *, target: str | None = None) -> Signature:
    """Find out what a fitted estimator takes and answers.

    Parameters
    ----------
    estimator
        A fitted scikit-learn estimator or pipeline, or one that behaves like it (XGBoost, LightGBM).
    sample : pandas.DataFrame, optional
        Rows as the estimator takes them, at best those it was fitted on; datatypes, ranges, quantiles, categories and
        examples come from it. May hold the target. Without it every column is a float unless the estimator says more.
    target
        Name of the target column, dropped from the sample; it also names the output of a model that has one.

    Raises
    ------
    NotFitted, UnsupportedModel, SampleMismatch
        say what was found, what was expected, and the way out.
    """
    _require_fitted(estimator)
    features = None if sample is None else _features(sample, target)
    names = _names(estimator, features)
    known = dict(zip(names, column_facts(estimator, names), strict=True))
    inputs = tuple(_input(name, known[name], features) for name in used_columns(estimator, names))
    outputs = infer_outputs(estimator, _probe(estimator, inputs, features), target=target)
    return checked(Signature(inputs=inputs, outputs=outputs))


def _require_fitted(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        for _, step in getattr(estimator, "steps", [("", estimator)]):
            if hasattr(step, "fit"):
                check_is_fitted(step)
    except NotFittedError:
        raise NotFitted(f"{type(estimator).__name__} is not fitted: call fit() before handing it over.") from None
    except (TypeError, AttributeError):
        return  # not scikit-learn's kind of estimator: answering the sample will tell


def _features(sample: Any, target: str | None) -> Any:
    """Return the sample without its target, its columns named by texts."""
    features = sample.rename(columns=str)
    repeated = features.columns[features.columns.duplicated()]
    if len(repeated):
        raise SampleMismatch(f"The sample has two columns called {repeated[0]!r}; each needs a name of its own.")
    if not len(features):
        raise SampleMismatch("The sample has no rows; send at least one, better a few hundred.")
    return features.drop(columns=[target], errors="ignore") if target is not None else features


def _names(estimator: Any, features: Any) -> list[str]:
    """Return the names of all columns that the estimator was fitted on, also of those that it drops."""
    fitted = _fitted_names(estimator)
    width = _fitted_width(estimator)
    if fitted is not None:
        if features is None or set(used_columns(estimator, fitted)) <= set(features.columns):
            return fitted
        if meant := _as_lightgbm_spells(fitted, features):
            return meant
        if not _are_made_up(fitted):
            raise _columns_differ(used_columns(estimator, fitted), list(features.columns))
    if features is not None:
        return _sample_names(estimator, features, width)
    if width is None:
        return _names_without_sample(estimator)
    if width > MAX_INPUTS:
        raise UnsupportedModel(f"The model takes {width:,} columns, but at most {MAX_INPUTS:,} can be served.")
    return [f"x{position}" for position in range(width)]


def _fitted_names(estimator: Any) -> list[str] | None:
    found = getattr(estimator, "feature_names_in_", None)
    return None if found is None else [str(name) for name in found]


def _fitted_width(estimator: Any) -> int | None:
    try:
        return int(estimator.n_features_in_)
    except (AttributeError, TypeError, ValueError):
        return None


def _as_lightgbm_spells(fitted: Sequence[str], features: Any) -> list[str] | None:
    """Return the sample's own names where LightGBM replaced their spaces, in the order of training."""
    own = {name.replace(" ", "_"): name for name in map(str, features.columns)}
    return [own[name] for name in fitted] if set(fitted) <= set(own) else None


def _are_made_up(names: Sequence[str]) -> bool:
    """Whether LightGBM, fitted on an array, made the names up."""
    return list(names) == [f"Column_{position}" for position in range(len(names))]


def _sample_names(estimator: Any, features: Any, width: int | None) -> list[str]:
    names = [str(name) for name in features.columns]
    if width is None and _takes_text(estimator):
        return _only_text(names, features)
    if width is None or len(names) == width:
        return names
    hint = " If one of them is the target, say which." if len(names) == width + 1 else ""
    raise SampleMismatch(
        f"The estimator was fitted on {width} columns, but the sample has {len(names)}: {_listed(names)}.{hint}"
    )


def _only_text(names: list[str], features: Any) -> list[str]:
    texts = [name for name in names if not _is_numeric(features[name])]
    if len(texts) != 1:
        raise SampleMismatch(
            f"The estimator takes one column of texts, but the sample has {len(texts)}: {_listed(names)}."
        )
    return texts


def _is_numeric(series: Any) -> bool:
    from pandas.api.types import is_numeric_dtype

    return bool(is_numeric_dtype(series))


def _names_without_sample(estimator: Any) -> list[str]:
    if _takes_text(estimator):
        return ["text"]
    raise UnsupportedModel(
        f"{type(estimator).__name__} does not say how many columns it takes; send a sample of the rows it was fitted on."
    )


def _takes_text(estimator: Any) -> bool:
    return column_facts(estimator, ["text"])[0].takes is Takes.TEXT


def _columns_differ(needed: list[str], found: list[str]) -> SampleMismatch:
    lacking = [name for name in needed if name not in set(found)]
    besides = [name for name in found if name not in set(needed)]
    more = f" It has besides: {_listed(besides)}." if besides else ""
    return SampleMismatch(
        f"The sample lacks columns that the estimator was fitted on: {_listed(lacking)}.{more}",
        missing=lacking[:_SHOWN_NAMES],
        unexpected=besides[:_SHOWN_NAMES],
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN_NAMES])
    return f"{shown} and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else shown


def _input(name: str, facts: Facts, features: Any) -> Input:
    return input_without_sample(name, facts) if features is None else input_from_sample(name, features[name], facts)


def _probe(estimator: Any, inputs: tuple[Input, ...], features: Any) -> Any:
    """Return a few rows in the form in which the estimator takes them; None where none can be had."""
    from foretell.inference.conversion.neighbours import made_up
    from foretell.inference.conversion.samples import sample_batch
    from foretell.inference.frames import estimator_input

    signature = Signature(inputs=inputs, outputs=(Output(name="probe", task=Task.REGRESSION),))
    try:
        rows = made_up(signature, n_rows=_PROBED_ROWS) if features is None else sample_batch(signature, features)
    except InferenceError:
        return None
    if not rows.n_rows:
        return None
    few = rows.take(_first(rows.n_rows))
    return estimator_input(estimator, signature, few)


def _first(n_rows: int) -> Any:
    import numpy as np

    return np.arange(min(n_rows, _PROBED_ROWS))
