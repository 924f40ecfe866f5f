"""What the author hands over, as one fitted estimator: unwrapped, chained, and refused in words where it is none."""

from collections.abc import Sequence
from typing import Any

from foretell.inference.errors import NotFitted, UnsupportedModel

_NOT_ESTIMATORS = {
    "ndarray": "It is an array: perhaps the training data was saved instead of the model.",
    "Series": "It is a column of a table: perhaps the training data was saved instead of the model.",
    "DataFrame": "It is a table: perhaps the training data was saved instead of the model.",
    "dict": "Save the estimator itself, and not a dict around it; several steps go into a scikit-learn Pipeline, or into one file each.",
    "tuple": "Save the estimator itself, and not a tuple around it; several steps go into a scikit-learn Pipeline, or into one file each.",
    "list": "Save the estimator itself, and not a list around it; several steps go into a scikit-learn Pipeline, or into one file each.",
    "function": "Wrap a function in an estimator class of an installed package, or export it to ONNX.",
    "type": "It is the class: make an instance, fit it, and save that.",
}


def as_estimator(handed_over: Any) -> Any:
    """Return the one fitted estimator in what was handed over; a sequence of steps becomes a Pipeline.

    Raises
    ------
    UnsupportedModel, NotFitted
        say what was found, and what to hand over instead.
    """
    if isinstance(handed_over, (list, tuple)) and handed_over and all(_is_step(step) for step in handed_over):
        return _chained([as_estimator(step) for step in handed_over])
    estimator = _native_booster(handed_over) or getattr(handed_over, "best_estimator_", None) or handed_over
    _require_estimator(estimator)
    _require_fitted(estimator)
    return estimator


def _is_step(step: Any) -> bool:
    return not isinstance(step, type) and (hasattr(step, "predict") or hasattr(step, "transform"))


def _chained(steps: Sequence[Any]) -> Any:
    from sklearn.pipeline import make_pipeline

    if len(steps) == 1:
        return steps[0]
    for position, step in enumerate(steps[:-1], start=1):
        if not hasattr(step, "transform"):
            raise UnsupportedModel(
                f"Step {position} of the chain, {name_of(step)}, cannot transform; send the steps in the order in which rows go through them, the model last."
            )
    return make_pipeline(*steps)


def _require_estimator(found: Any) -> None:
    kind = type(found).__name__
    hint = _NOT_ESTIMATORS.get(kind)
    if hint is None and _is_step(found):
        return
    if hint is None and (hasattr(found, "fit_predict") or hasattr(found, "fit")):
        raise UnsupportedModel(
            f"{kind} can neither predict nor transform rows that it was not fitted on; nothing can be served with it."
        )
    hint = hint or "Send a fitted estimator: something with predict() or transform()."
    raise UnsupportedModel(f"Found an object of type {kind}, expected a fitted estimator. {hint}")


def _require_fitted(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if hasattr(estimator, "best_estimator_") or not hasattr(estimator, "fit"):
        return
    try:
        for step in _steps(estimator):
            check_is_fitted(step)
    except NotFittedError:
        raise NotFitted(f"{name_of(estimator)} is not fitted: call fit() before saving it.") from None
    except (TypeError, AttributeError):
        return  # not scikit-learn's kind of estimator: answering the sample will tell


def _steps(estimator: Any) -> list[Any]:
    steps = [step for _, step in getattr(estimator, "steps", [])]
    return [step for step in steps if hasattr(step, "fit")] or [estimator]


def name_of(estimator: Any) -> str:
    """Name an estimator as its author does: "Pipeline(StandardScaler, SVC)"."""
    steps = [step for _, step in getattr(estimator, "steps", [])]
    inner = f"({', '.join(type(step).__name__ for step in steps[:6])})" if steps else ""
    return type(estimator).__name__ + inner


def _native_booster(found: Any) -> Any:
    """Return scikit-learn's face of a bare XGBoost or LightGBM booster; None for anything else."""
    module = type(found).__module__.partition(".")[0]
    if type(found).__name__ != "Booster" or module not in ("xgboost", "lightgbm"):
        return None
    from foretell.inference.conversion import boosters

    return boosters.from_xgboost(found) if module == "xgboost" else boosters.from_lightgbm(found)
