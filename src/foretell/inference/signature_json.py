"""Reading a signature back from JSON. Every value is checked: it may come from a sandboxed child, which may be anybody's."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import (
    MAX_CATEGORIES,
    MAX_INPUTS,
    QUANTILES,
    DType,
    Input,
    Label,
    Output,
    Scalar,
    Signature,
    Task,
)

MAX_NAME_CHARS = 200
MAX_TEXT_CHARS = 2_000
MAX_OUTPUTS = 1_000
INPUT_KEYS = frozenset(
    {"name", "dtype", "nullable", "range", "quantiles", "limits", "categories", "closed", "unit", "help", "example"}
)
OUTPUT_KEYS = frozenset({"name", "task", "classes", "probabilities", "unit", "help"})
NUMERIC = frozenset({DType.FLOAT, DType.INT})

T = TypeVar("T")


def read_signature(data: Any) -> Signature:
    document = _mapping(data, "the signature", frozenset({"inputs", "outputs"}))
    inputs = _items(document.get("inputs"), "inputs", MAX_INPUTS, read_input)
    outputs = _items(document.get("outputs"), "outputs", MAX_OUTPUTS, read_output)
    _refuse_repeated("inputs", [item.name for item in inputs])
    _refuse_repeated("outputs", [item.name for item in outputs])
    return Signature(inputs=inputs, outputs=outputs)


def read_input(data: Any, where: str) -> Input:
    item = _mapping(data, where, INPUT_KEYS)
    name = _name(item, where)
    where = f"the input {name!r}"
    dtype = _one_of(DType, item.get("dtype"), f"{where}: dtype")
    result = Input(
        name=name,
        dtype=dtype,
        nullable=_flag(item, "nullable", False, where),
        range=_pair(item.get("range"), f"{where}: range"),
        quantiles=_quantiles(item.get("quantiles", ()), where),
        limits=_limits(item.get("limits"), f"{where}: limits"),
        categories=_labels(item.get("categories", ()), f"{where}: categories"),
        closed=_flag(item, "closed", True, where),
        unit=_text(item, "unit", where),
        help=_text(item, "help", where),
        example=_scalar(item.get("example"), f"{where}: example"),
    )
    check_input(result)
    return result


def check_input(item: Input) -> None:
    """Refuse an input whose parts contradict each other."""
    where = f"the input {item.name!r}"
    if item.dtype is DType.CATEGORY and not item.categories:
        raise InvalidSignature(f"{where} is a category without any; expected at least one")
    if item.dtype is not DType.CATEGORY and item.categories:
        raise InvalidSignature(f"{where} has categories, but its dtype is {item.dtype}; only a category has them")
    if item.dtype not in NUMERIC and (item.range or item.limits or item.quantiles):
        raise InvalidSignature(
            f"{where} has a range, quantiles or limits, but its dtype is {item.dtype}; only float and int have them"
        )
    for label, bounds in (("range", item.range), ("limits", item.limits)):
        if bounds and None not in bounds and bounds[0] > bounds[1]:  # type: ignore[operator]  # both are numbers here
            raise InvalidSignature(
                f"{where}: {label} begins at {bounds[0]} and ends at {bounds[1]}; expected the lesser first"
            )


def read_output(data: Any, where: str) -> Output:
    item = _mapping(data, where, OUTPUT_KEYS)
    name = _name(item, where)
    where = f"the output {name!r}"
    task = _one_of(Task, item.get("task"), f"{where}: task")
    classes = _labels(item.get("classes", ()), f"{where}: classes")
    if task in (Task.BINARY, Task.MULTICLASS) and not classes:
        raise InvalidSignature(f"{where} is {task} without classes; expected at least one")
    probabilities = _flag(item, "probabilities", False, where)
    if probabilities and not classes:
        raise InvalidSignature(f"{where} states probabilities without classes; expected classes in their order")
    return Output(
        name=name,
        task=task,
        classes=classes,
        probabilities=probabilities,
        unit=_text(item, "unit", where),
        help=_text(item, "help", where),
    )


# --- the parts ----------------------------------------------------------------------------------------------------------


def _mapping(data: Any, where: str, keys: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise InvalidSignature(f"{where} is {_kind(data)}; expected an object")
    unknown = sorted(str(key) for key in data if key not in keys)
    if unknown:
        raise InvalidSignature(f"{where} has {unknown[0]!r}; expected only {', '.join(sorted(keys))}")
    return data


def _items(data: Any, where: str, most: int, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        raise InvalidSignature(f"{where} is {_kind(data)}; expected a list")
    if not 1 <= len(data) <= most:
        raise InvalidSignature(f"{where} has {len(data):,} items; expected 1 to {most:,}")
    return tuple(read(item, f"{where}[{position}]") for position, item in enumerate(data))


def _refuse_repeated(where: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidSignature(f"{where} has {name!r} twice; expected each name once")
        seen.add(name)


def _name(item: Mapping[str, Any], where: str) -> str:
    name = item.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME_CHARS or not _is_clean(name):
        raise InvalidSignature(f"{where}: name is {_shown(name)}; expected a text of 1 to {MAX_NAME_CHARS} characters")
    return name


def _text(item: Mapping[str, Any], key: str, where: str) -> str:
    text = item.get(key, "")
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARS or not _is_clean(text):
        raise InvalidSignature(
            f"{where}: {key} is {_shown(text)}; expected a text of at most {MAX_TEXT_CHARS:,} characters"
        )
    return text


def _flag(item: Mapping[str, Any], key: str, default: bool, where: str) -> bool:
    flag = item.get(key, default)
    if not isinstance(flag, bool):
        raise InvalidSignature(f"{where}: {key} is {_shown(flag)}; expected true or false")
    return flag


def _one_of(kinds: type[T], found: Any, where: str) -> T:
    try:
        return kinds(found)  # type: ignore[call-arg]  # an enumeration's look-up by value
    except ValueError:
        allowed = ", ".join(str(kind) for kind in kinds)  # type: ignore[attr-defined]  # an enumeration is iterable
        raise InvalidSignature(f"{where} is {_shown(found)}; expected one of {allowed}") from None


def _number(found: Any, where: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not _is_finite(found):
        raise InvalidSignature(f"{where} has {_shown(found)}; expected a finite number")
    return found


def _pair(found: Any, where: str) -> tuple[float, float] | None:
    if found is None:
        return None
    low, high = _two(found, where)
    return _number(low, where), _number(high, where)


def _limits(found: Any, where: str) -> tuple[float | None, float | None] | None:
    if found is None:
        return None
    low, high = _two(found, where)
    return (None if low is None else _number(low, where)), (None if high is None else _number(high, where))


def _two(found: Any, where: str) -> tuple[Any, Any]:
    if not isinstance(found, Sequence) or isinstance(found, str | bytes) or len(found) != 2:
        raise InvalidSignature(f"{where} is {_shown(found)}; expected two numbers")
    return found[0], found[1]


def _quantiles(found: Any, where: str) -> tuple[float, ...]:
    if not isinstance(found, Sequence) or isinstance(found, str | bytes) or len(found) not in (0, len(QUANTILES)):
        raise InvalidSignature(f"{where}: quantiles is {_shown(found)}; expected {len(QUANTILES)} numbers, or none")
    return tuple(_number(value, f"{where}: quantiles") for value in found)


def _labels(found: Any, where: str) -> tuple[Label, ...]:
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        raise InvalidSignature(f"{where} is {_kind(found)}; expected a list")
    if len(found) > MAX_CATEGORIES:
        raise InvalidSignature(f"{where} has {len(found):,} values; expected at most {MAX_CATEGORIES:,}")
    labels = tuple(_label(value, where) for value in found)
    kinds = {
        "words" if isinstance(label, str) else "truth" if isinstance(label, bool) else "numbers" for label in labels
    }
    if len(kinds) > 1:
        raise InvalidSignature(f"{where} mixes {' and '.join(sorted(kinds))}; expected one kind")
    if len(set(labels)) < len(labels):
        raise InvalidSignature(f"{where} has a value twice; expected each once")
    return labels


def _label(value: Any, where: str) -> Label:
    label = _scalar(value, where)
    if label is None:
        raise InvalidSignature(f"{where} has null; a missing value is said by nullable, not by a category")
    return label


def _scalar(value: Any, where: str) -> Scalar:
    is_text = isinstance(value, str) and len(value) <= MAX_TEXT_CHARS and _is_clean(value)
    if value is None or is_text or isinstance(value, bool) or (isinstance(value, int | float) and _is_finite(value)):
        return value  # type: ignore[no-any-return]  # one of the four kinds
    raise InvalidSignature(f"{where} has {_shown(value)}; expected a text, a finite number, true, false or null")


def _is_finite(value: float) -> bool:
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**63


def _is_clean(text: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold the text: no NUL, no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _kind(value: Any) -> str:
    return "missing" if value is None else f"of the type {type(value).__name__}"


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:59] + "…"
