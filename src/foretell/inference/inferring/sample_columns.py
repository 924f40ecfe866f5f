"""One input from one column of the author's sample, together with what the estimator says of it."""

import math
from typing import Any

import numpy as np

from foretell.errors import shortened
from foretell.inference.batch import Array
from foretell.inference.errors import SampleMismatch
from foretell.inference.inferring.facts import Facts, Takes
from foretell.inference.signature import MAX_CATEGORIES, MAX_TEXT_CHARS, QUANTILES, DType, Input, Label, Scalar
from foretell.inference.signature_checks import MAX_SAFE_INTEGER, is_clean_text

_FEW_WORDS = 50  # words beyond that are text to type in, and no list to choose from

# What pandas calls the values of a column, and what they are here.
_KINDS = {
    "floating": DType.FLOAT,
    "mixed-integer-float": DType.FLOAT,
    "decimal": DType.FLOAT,
    "integer": DType.INT,
    "boolean": DType.BOOL,
    "string": DType.STRING,
    "datetime64": DType.DATETIME,
    "datetime": DType.DATETIME,
    "date": DType.DATETIME,
    "empty": None,
}


def input_without_sample(name: str, facts: Facts, *, is_missing: bool = False) -> Input:
    """Return what the estimator alone says of a column; a number where it says nothing."""
    nullable = facts.is_nullable(is_missing_in_sample=is_missing)
    if facts.categories:
        return _category(name, facts.categories, facts, nullable=nullable, example=None)
    dtype = DType.STRING if facts.takes in (Takes.TEXT, Takes.WORDS) else DType.FLOAT
    return Input(name=name, dtype=dtype, nullable=nullable)


def input_from_sample(name: str, series: Any, facts: Facts) -> Input:
    """Return one input.

    Raises
    ------
    SampleMismatch
        names the column, what was found and what the estimator learnt.
    """
    is_missing = bool(series.isna().any())
    nullable = facts.is_nullable(is_missing_in_sample=is_missing)
    present = series.dropna()
    kind = _kind_of(name, present)
    _require_learnt_kind(name, kind, present, facts)
    if kind is None:
        return input_without_sample(name, facts, is_missing=is_missing)
    example = _plain(present.iloc[0])
    if facts.categories:
        return _category(name, facts.categories, facts, nullable=nullable, example=example)
    if type(series.dtype).__name__ == "CategoricalDtype" or (kind is DType.STRING and facts.takes is not Takes.TEXT):
        return _words(name, present, facts, nullable=nullable)
    if kind in (DType.FLOAT, DType.INT):
        return _number(name, kind, present, nullable=nullable)
    return Input(name=name, dtype=kind, nullable=nullable, example=_example(kind, present.iloc[0]))


def _kind_of(name: str, present: Any) -> DType | None:
    from pandas.api.types import infer_dtype

    values = present.astype(present.dtype.categories.dtype) if hasattr(present.dtype, "categories") else present
    found = infer_dtype(values, skipna=True) if len(values) else "empty"
    if found not in _KINDS:
        raise SampleMismatch(
            f"The sample's column {name!r} holds values of the kind {found!r} ({_some(present)}); "
            "possible are numbers, words, true and false, dates, one kind in each column."
        )
    return _KINDS[found]


def _require_learnt_kind(name: str, kind: DType | None, present: Any, facts: Facts) -> None:
    if kind is None or facts.takes is None:
        return
    are_words = kind in (DType.STRING, DType.DATETIME)
    if are_words == (facts.takes is not Takes.NUMBERS):
        return
    found = "words" if kind is DType.STRING else "dates" if kind is DType.DATETIME else "numbers"
    learnt = f"{facts.takes.value} (such as {_listed(facts.categories)})" if facts.categories else facts.takes.value
    raise SampleMismatch(
        f"The sample's column {name!r} holds {found} ({_some(present)}), but the estimator learnt {learnt} there. "
        "Send the rows as the estimator was fitted on them."
    )


def _some(present: Any) -> str:
    return shortened(", ".join(f"{_plain(value)!r}" for value in present.iloc[:3]), 120)


def _listed(labels: tuple[Label, ...]) -> str:
    return shortened(", ".join(repr(label) for label in labels[:3]), 120)


def _category(name: str, found: tuple[Label, ...], facts: Facts, *, nullable: bool, example: Scalar) -> Input:
    labels = _as_labels(name, found)
    if all(isinstance(label, bool) for label in labels):
        return Input(name=name, dtype=DType.BOOL, nullable=nullable, example=bool(labels[0]))
    shown = next((label for label in labels if label == example), labels[0])
    return Input(
        name=name, dtype=DType.CATEGORY, nullable=nullable, categories=labels, closed=facts.closed, example=shown
    )


def _as_labels(name: str, found: tuple[Any, ...]) -> tuple[Label, ...]:
    """Return categories as plain labels: whole numbers as integers, also where a missing one made them floats."""
    labels = tuple(_plain(value) for value in found)
    kinds = {str if isinstance(label, str) else bool if isinstance(label, bool) else float for label in labels}
    if len(kinds) > 1 or not all(isinstance(label, str | bool | int | float) for label in labels):
        raise SampleMismatch(
            f"The categories learnt for {name!r} are of several kinds ({_listed(labels)}); make them all words or all numbers."
        )
    if kinds == {float} and all(float(label).is_integer() for label in labels):
        return tuple(int(label) for label in labels)
    return labels


def _words(name: str, present: Any, facts: Facts, *, nullable: bool) -> Input:
    """Choose between a list of known words and free text, where no encoder says which words there are."""
    is_declared = hasattr(present.dtype, "categories")
    found = list(present.dtype.categories) if is_declared else sorted(set(present))
    example = _plain(present.iloc[0])
    is_usable = all(
        not isinstance(word, str) or (len(word) <= MAX_TEXT_CHARS and is_clean_text(word)) for word in found
    )
    if is_usable and 0 < len(found) <= (MAX_CATEGORIES if is_declared else min(_FEW_WORDS, len(present) // 2)):
        return _category(name, tuple(found), facts, nullable=nullable, example=example)
    return Input(name=name, dtype=DType.STRING, nullable=nullable, example=_text_example(example))


def _number(name: str, kind: DType, present: Any, *, nullable: bool) -> Input:
    numbers: Array = present.to_numpy(dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return Input(name=name, dtype=DType.FLOAT, nullable=nullable)
    is_whole = kind is DType.INT and bool((np.abs(finite) <= MAX_SAFE_INTEGER).all())
    quantiles = tuple(float(number) for number in np.quantile(finite, QUANTILES))
    return Input(
        name=name,
        dtype=DType.INT if is_whole else DType.FLOAT,
        nullable=nullable,
        range=(float(finite.min()), float(finite.max())),
        quantiles=tuple(np.maximum.accumulate(quantiles).tolist()),
        example=int(finite[0]) if is_whole else float(finite[0]),
    )


def _example(kind: DType, value: Any) -> Scalar:
    if kind is DType.BOOL:
        return bool(value)
    if kind is DType.DATETIME:
        return str(value.isoformat())
    return _text_example(_plain(value))


def _text_example(value: Any) -> Scalar:
    is_short = isinstance(value, str) and len(value) <= MAX_TEXT_CHARS and is_clean_text(value)
    return value if is_short else None


def _plain(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and math.isnan(plain) else plain
