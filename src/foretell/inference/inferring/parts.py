"""The kinds of parts that estimators are made of, as far as the walk over them has to tell them apart."""

from collections.abc import Sequence
from typing import Any

IMPUTERS = frozenset({"SimpleImputer", "KNNImputer", "IterativeImputer"})
# One column in, the same column out, missing values passed on.
SCALERS = frozenset(
    {"StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "QuantileTransformer", "PowerTransformer"}
)
_TAKE_MISSING = frozenset(
    {"HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "XGBClassifier", "XGBRegressor"}
    | {"XGBRanker", "XGBRFClassifier", "XGBRFRegressor", "LGBMClassifier", "LGBMRegressor", "LGBMRanker"}
)
# They do not look at their columns at all, or hand them to code that we do not know.
_OPAQUE = frozenset({"DummyClassifier", "DummyRegressor", "FunctionTransformer", "FeatureHasher", "DictVectorizer"})
_NUMERIC_LIBRARIES = frozenset({"sklearn", "xgboost", "lightgbm"})
_META = frozenset(
    {"CalibratedClassifierCV", "TransformedTargetRegressor", "VotingClassifier", "VotingRegressor"}
    | {"StackingClassifier", "StackingRegressor", "MultiOutputClassifier", "MultiOutputRegressor"}
    | {"OneVsRestClassifier", "OneVsOneClassifier", "FixedThresholdClassifier", "TunedThresholdClassifierCV"}
    | {"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "FrozenEstimator"}
    | {"SelfTrainingClassifier"}
)


def inner_estimators(part: Any) -> list[Any]:
    """Return the fitted estimators to which a wrapping one hands its columns as they are."""
    if type(part).__name__ not in _META:
        return []
    for attribute in (
        "best_estimator_",
        "regressor_",
        "calibrated_classifiers_",
        "estimators_",
        "estimator_",
        "estimator",
    ):
        found = getattr(part, attribute, None)
        if found is not None:
            inners = list(found) if isinstance(found, list | tuple) else [found]
            return [
                getattr(inner, "estimator", inner) if attribute == "calibrated_classifiers_" else inner
                for inner in inners
            ]
    return []


def is_opaque(part: Any) -> bool:
    """Whether a part may take something else than numbers."""
    library = type(part).__module__.partition(".")[0]
    if library not in _NUMERIC_LIBRARIES or type(part).__name__ in _OPAQUE:
        return True
    if takes_native_categories(part):
        return True
    tags = _input_tags(part)
    return bool(getattr(tags, "string", False) or getattr(tags, "categorical", False)) and library == "sklearn"


def takes_native_categories(part: Any) -> bool:
    """Whether a booster was fitted on pandas' category columns."""
    booster = getattr(part, "booster_", None) if type(part).__name__.startswith("LGBM") else None
    return bool(
        getattr(part, "is_categorical_", None) is not None
        or getattr(booster, "pandas_categorical", None)
        or (type(part).__name__.startswith("XGB") and getattr(part, "enable_categorical", False))
    )


def missing_verdict(part: Any) -> str:
    """Return "YES", "NO" or "IF_SEEN": whether `part` answers where a value is missing."""
    if type(part).__name__ in _TAKE_MISSING:
        return "YES"
    if type(part).__module__.partition(".")[0] not in _NUMERIC_LIBRARIES or type(part).__name__ in _OPAQUE:
        return "IF_SEEN"
    return "NO" if getattr(_input_tags(part), "allow_nan", None) is False else "IF_SEEN"


def chosen_positions(columns: Any, names: Sequence[str]) -> list[int]:
    """Return the positions that a column transformer's choice means: names, numbers, a slice or a mask."""
    if isinstance(columns, slice):
        return _sliced(columns, names)
    if isinstance(columns, str | int):
        columns = [columns]
    chosen = list(columns)
    if chosen and all(type(value).__name__ in ("bool", "bool_") for value in chosen):
        return [position for position, is_chosen in enumerate(chosen) if is_chosen]
    return [names.index(value) if isinstance(value, str) else int(value) for value in chosen]


def _sliced(columns: slice, names: Sequence[str]) -> list[int]:
    start, stop = columns.start, columns.stop
    if isinstance(start, str):
        start = names.index(start)
    if isinstance(stop, str):
        stop = names.index(stop) + 1  # a slice of names includes its end, as in pandas
    return list(range(len(names)))[start : stop : columns.step]


def used_columns(estimator: Any, names: Sequence[str]) -> list[str]:
    """Return the columns that the estimator needs, in its order.

    Those that its first step, a ColumnTransformer that picks by name, drops, are not asked for: scikit-learn answers
    without them too. Wherever that is not certain, all of them are needed.
    """
    first = estimator
    while hasattr(first, "steps") and first.steps:
        first = first.steps[0][1]
    if not hasattr(first, "transformers_") or not hasattr(first, "feature_names_in_"):
        return list(names)
    kept = [columns for _, inner, columns in first.transformers_ if not (isinstance(inner, str) and inner == "drop")]
    flat = [value for columns in kept for value in ([columns] if isinstance(columns, str) else _as_list(columns))]
    if not all(isinstance(value, str) for value in flat):
        return list(names)
    return [name for name in names if name in set(flat)] or list(names)


def _as_list(columns: Any) -> list[Any]:
    return [columns] if isinstance(columns, slice | int) else list(columns)


def _input_tags(part: Any) -> Any:
    from sklearn.utils import get_tags

    try:
        return get_tags(part).input_tags
    except Exception:  # noqa: BLE001 - a foreign class may define tags of its own, in any way
        return None
