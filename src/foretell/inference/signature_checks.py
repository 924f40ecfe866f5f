"""What a signature may not say: the rules between its fields, checked wherever one is made.

Reading one from JSON, refining one and inferring one all end in `checked`.
"""

import datetime
import itertools
import math
from collections.abc import Iterator, Sequence

from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import (
    MAX_CATEGORIES,
    MAX_CLASSES,
    MAX_HELP_CHARS,
    MAX_INPUTS,
    MAX_LABELS,
    MAX_OUTPUTS,
    MAX_TEXT_CHARS,
    QUANTILES,
    DType,
    Input,
    Label,
    Output,
    Signature,
    Task,
)

NUMERIC = (DType.FLOAT, DType.INT)
MAX_SAFE_INTEGER = 2**53  # beyond it, neighbouring integers are the same float64, and the same number in JavaScript
_LABELLED = (Task.BINARY, Task.MULTICLASS, Task.CLUSTERING)


def checked(signature: Signature) -> Signature:
    """Return `signature`, which contradicts itself nowhere.

    Raises
    ------
    InvalidSignature
        names the input or output, what was found and what is allowed.
    """
    _check_count("inputs", len(signature.inputs), MAX_INPUTS)
    _check_count("outputs", len(signature.outputs), MAX_OUTPUTS)
    _check_names("input", [source.name for source in signature.inputs])
    _check_names("output", [output.name for output in signature.outputs])
    for source in signature.inputs:
        for fault in input_faults(source):
            raise InvalidSignature(f"Input {source.name!r}: {fault}.")
    for output in signature.outputs:
        for fault in output_faults(output):
            raise InvalidSignature(f"Output {output.name!r}: {fault}.")
    _check_labels(signature)
    return signature


def input_faults(source: Input) -> Iterator[str]:
    """Yield what one input says that cannot be, each in words without the input's name."""
    yield from _text_faults(unit=(source.unit, MAX_TEXT_CHARS), help=(source.help, MAX_HELP_CHARS))
    yield from _number_faults(source)
    yield from _category_faults(source)
    if source.example is not None and (expected := _expected_example(source)):
        yield f"the example is {source.example!r:.80}, but {expected} is needed"


def output_faults(output: Output) -> Iterator[str]:
    """Yield what one output says that cannot be, each in words without the output's name."""
    yield from _text_faults(unit=(output.unit, MAX_TEXT_CHARS), help=(output.help, MAX_HELP_CHARS))
    if output.task is Task.MULTI_OUTPUT:
        yield "the task of one output is binary, multiclass, regression, clustering or transform"
    if output.classes and output.task not in _LABELLED:
        yield f"the task {output.task.value} has no classes"
    if output.task is Task.BINARY and len(output.classes) not in (0, 2):
        yield f"the task binary has 2 classes, but there are {len(output.classes)}"
    if output.probabilities and not output.classes:
        yield "there are probabilities, but no classes that they would belong to"
    yield from _label_faults("classes", output.classes, MAX_CLASSES, may_be_bool=True)


def is_clean_text(text: str) -> bool:
    """Whether every part of the system can carry `text`: no NUL (PostgreSQL), no lone surrogate (UTF-8)."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))


def parsed_datetime(text: str) -> datetime.datetime:
    """Read ISO 8601, at most 64 characters; without a zone it is UTC.

    Raises
    ------
    ValueError
        when it is none.
    """
    if len(text) > 64:
        raise ValueError("longer than 64 characters")
    moment = datetime.datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def _check_count(what: str, count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise InvalidSignature(f"A signature has 1 to {most:,} {what}, but there are {count:,}.")


def _check_names(kind: str, names: Sequence[str]) -> None:
    seen = set()
    for name in names:
        if not name or len(name) > MAX_TEXT_CHARS or not is_clean_text(name):
            raise InvalidSignature(
                f"The {kind} name {name!r:.120} is not usable: a name has 1 to {MAX_TEXT_CHARS} characters, none of them NUL."
            )
        if name in seen:
            raise InvalidSignature(f"Two {kind}s are called {name!r}; each needs a name of its own.")
        seen.add(name)


def _check_labels(signature: Signature) -> None:
    count = sum(len(source.categories) for source in signature.inputs)
    count += sum(len(output.classes) for output in signature.outputs)
    if count > MAX_LABELS:
        raise InvalidSignature(
            f"A signature has at most {MAX_LABELS:,} categories and classes in all, but there are {count:,}."
        )


def _text_faults(**texts: tuple[str, int]) -> Iterator[str]:
    for field, (text, most) in texts.items():
        if len(text) > most:
            yield f"{field} has {len(text):,} characters, but at most {most:,} are allowed"
        elif not is_clean_text(text):
            yield f"{field} contains a NUL character or half a character pair"


def _number_faults(source: Input) -> Iterator[str]:
    is_numeric = source.dtype in NUMERIC
    for field, present in (("range", source.range), ("quantiles", source.quantiles), ("limits", source.limits)):
        if present and not is_numeric:
            yield f"{field} belong to float and int, but the dtype is {source.dtype.value}"
    if source.range is not None and not _is_ascending(source.range):
        yield f"range is {source.range}, but two finite numbers, the lesser first, are needed"
    if source.quantiles and (len(source.quantiles) != len(QUANTILES) or not _is_ascending(source.quantiles)):
        yield f"quantiles are {len(QUANTILES)} finite numbers in ascending order"
    if source.limits is not None:
        stated = [bound for bound in source.limits if bound is not None]
        if not stated or not _is_ascending(stated):
            yield f"limits are {source.limits}, but the lesser bound first, at least one of them a finite number, are needed"


def _is_ascending(numbers: Sequence[float]) -> bool:
    return all(map(math.isfinite, numbers)) and all(a <= b for a, b in itertools.pairwise(numbers))


def _category_faults(source: Input) -> Iterator[str]:
    if source.dtype is not DType.CATEGORY:
        if source.categories:
            yield f"categories belong to the dtype category, but it is {source.dtype.value}"
        if not source.closed:
            yield f"only a category can be open, but the dtype is {source.dtype.value}"
        return
    if not source.categories:
        yield "a category needs at least one known value; use string where there is none"
    yield from _label_faults("categories", source.categories, MAX_CATEGORIES, may_be_bool=False)


def _label_faults(field: str, labels: Sequence[Label], most: int, *, may_be_bool: bool) -> Iterator[str]:
    if len(labels) > most:
        yield f"there are {len(labels):,} {field}, but at most {most:,} are allowed"
    kinds = {_kind(label) for label in labels}
    allowed = {"words", "numbers", "booleans"} if may_be_bool else {"words", "numbers"}
    if len(kinds) > 1 or not kinds <= allowed:
        yield f"{field} are all {' or all '.join(sorted(allowed, reverse=True))}, but these are {' and '.join(sorted(kinds))}"
    if len(set(labels)) < len(labels):
        yield f"{field} name a value twice"
    for label in labels:
        if not _is_usable_label(label):
            yield f"{field} have {label!r:.80}, but words of at most {MAX_TEXT_CHARS} characters or finite numbers are needed"


def _kind(label: Label) -> str:
    if isinstance(label, bool):
        return "booleans"
    return "words" if isinstance(label, str) else "numbers"


def _is_usable_label(label: Label) -> bool:
    if isinstance(label, str):
        return len(label) <= MAX_TEXT_CHARS and is_clean_text(label)
    if isinstance(label, int):
        return abs(label) <= MAX_SAFE_INTEGER
    return math.isfinite(label)


def _expected_example(source: Input) -> str:
    """Return what the example should have been, or "" when it is that."""
    value = source.example
    if source.dtype is DType.CATEGORY:
        return "" if _is_example_category(source) else "one of the categories"
    if source.dtype in NUMERIC:
        return "" if _is_example_number(source) else f"a {source.dtype.value} within the limits"
    if source.dtype is DType.BOOL:
        return "" if isinstance(value, bool) else "true or false"
    is_text = isinstance(value, str) and len(value) <= MAX_HELP_CHARS and is_clean_text(value)
    if source.dtype is DType.STRING:
        return "" if is_text else f"a text of at most {MAX_HELP_CHARS:,} characters"
    return "" if is_text and _is_datetime(str(value)) else "an ISO 8601 date or time"


def _is_example_category(source: Input) -> bool:
    value = source.example
    if isinstance(value, bool) or value is None:
        return False
    are_words = any(isinstance(label, str) for label in source.categories)
    is_alike = isinstance(value, str) == are_words and _is_usable_label(value)
    return is_alike and (not source.closed or value in source.categories)


def _is_example_number(source: Input) -> bool:
    value = source.example
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_usable_label(value):
        return False
    least, most = source.limits or (None, None)
    is_within = (least is None or value >= least) and (most is None or value <= most)
    return is_within and (source.dtype is DType.FLOAT or float(value).is_integer())


def _is_datetime(text: str) -> bool:
    try:
        parsed_datetime(text)
    except ValueError:
        return False
    return True
