"""Reading a signature back from JSON.

Security: what is read may come from a sandboxed child that ran a stranger's code, or straight from a client, so that
nothing about its types, sizes or keys is taken for granted.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, TypeVar

from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import (
    MAX_CLASSES,
    MAX_HELP_CHARS,
    MAX_INPUTS,
    MAX_OUTPUTS,
    MAX_TEXT_CHARS,
    DType,
    Input,
    Label,
    Output,
    Scalar,
    Signature,
    Task,
)
from foretell.inference.signature_checks import MAX_SAFE_INTEGER, checked

Described = TypeVar("Described", Input, Output)
_MAX_LABELS = MAX_CLASSES  # the longest list that any field may have; each field's own limit is checked afterwards


class _Unusable(Exception):
    """A value of the wrong type; its text says what is needed."""


def read_signature(data: Any) -> Signature:
    if not isinstance(data, Mapping):
        raise InvalidSignature(f"A signature is an object with inputs and outputs, not {_named(data)}.")
    _check_keys("The signature", data, {"inputs", "outputs"}, required={"inputs", "outputs"})
    return checked(
        Signature(
            inputs=tuple(map(_respelt, _read_all(data["inputs"], "input", Input, _INPUT_READERS, MAX_INPUTS))),
            outputs=_read_all(data["outputs"], "output", Output, _OUTPUT_READERS, MAX_OUTPUTS),
        )
    )


def _respelt(source: Input) -> Input:
    """Take a large float for one where it comes without point or exponent, as PostgreSQL's jsonb spells 1e20."""
    example = source.example
    if source.dtype is not DType.FLOAT or not isinstance(example, int) or abs(example) <= MAX_SAFE_INTEGER:
        return source
    return replace(source, example=float(example))


def read_field(what: str, field: str, value: Any) -> Any:
    """Return one field of an ``"input"`` or ``"output"`` as its dataclass has it.

    Raises
    ------
    InvalidSignature
        names the field, what was found and what is needed.
    """
    readers = _INPUT_READERS if what == "input" else _OUTPUT_READERS
    try:
        return readers[field](value)
    except _Unusable as error:
        raise InvalidSignature(f"{field} is {error}, but it has {_named(value)}.") from None


def _read_all(
    data: Any, what: str, kind: type[Described], readers: Mapping[str, Callable[[Any], Any]], most: int
) -> tuple[Described, ...]:
    if not isinstance(data, list | tuple) or not 1 <= len(data) <= most:
        raise InvalidSignature(f"{what}s are a list of 1 to {most:,} objects, not {_named(data)}.")
    return tuple(_read(item, f"{what}s[{position}]", kind, readers) for position, item in enumerate(data))


def _read(item: Any, where: str, kind: type[Described], readers: Mapping[str, Callable[[Any], Any]]) -> Described:
    if not isinstance(item, Mapping):
        raise InvalidSignature(f"{where} is an object, not {_named(item)}.")
    required = {field.name for field in fields(kind) if field.default is MISSING}
    _check_keys(where, item, set(readers), required=required)
    values = {}
    for field, value in item.items():
        try:
            values[field] = readers[field](value)
        except _Unusable as error:
            raise InvalidSignature(f"{where}.{field} is {error}, not {_named(value)}.") from None
    return kind(**values)


def _check_keys(where: str, data: Mapping[Any, Any], known: set[str], *, required: set[str]) -> None:
    unknown = list(itertools.islice((key for key in data if key not in known), 5))
    if unknown:
        raise InvalidSignature(
            f"{where} has {', '.join(f'{key!r:.60}' for key in unknown)}, but only {', '.join(sorted(known))} are known."
        )
    if missing := sorted(required - set(data)):
        raise InvalidSignature(f"{where} lacks {', '.join(missing)}.")


def _named(value: Any) -> str:
    """Name what was found, briefly: it may be huge."""
    if isinstance(value, list | tuple):
        return f"a list of {len(value):,}"
    if isinstance(value, Mapping):
        return f"an object of {len(value):,}"
    if isinstance(value, str | bytes):
        return f"{value[:60]!r}"
    # Python refuses to spell integers of thousands of digits.
    return "a huge integer" if isinstance(value, int) and value.bit_length() > 1_000 else f"{value!r:.60}"


def _text(most: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise _Unusable(f"a text of at most {most:,} characters")
        return value

    return read


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Unusable("true or false")
    return value


def _number(value: Any) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Unusable("a number")
        return float(value)
    except OverflowError:
        raise _Unusable("a number that fits into 64 bits") from None


def _numbers(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or len(value) > 100:
        raise _Unusable("a list of numbers")
    return tuple(map(_number, value))


def _pair(value: Any) -> tuple[float, ...] | None:
    if value is None:
        return None
    numbers = _numbers(value)
    if len(numbers) != 2:
        raise _Unusable("a list of two numbers")
    return numbers


def _bounds(value: Any) -> tuple[float | None, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise _Unusable("a list of two numbers, of which one may be null")
    return tuple(None if bound is None else _number(bound) for bound in value)


def _labels(value: Any) -> tuple[Label, ...]:
    if not isinstance(value, list | tuple) or len(value) > _MAX_LABELS:
        raise _Unusable(f"a list of at most {_MAX_LABELS:,} values")
    return tuple(map(_label, value))


def _label(value: Any) -> Label:
    label = _scalar(value)
    if label is None:
        raise _Unusable("a list of words, numbers or booleans")
    return label


def _scalar(value: Any) -> Scalar:
    if value is not None and not isinstance(value, str | int | float):
        raise _Unusable("a word, a number, true, false or null")
    if isinstance(value, int) and not isinstance(value, bool):
        _number(value)
    return value


def _member(kind: type[DType] | type[Task]) -> Callable[[Any], DType | Task]:
    def read(value: Any) -> DType | Task:
        try:
            return kind(value)
        except (ValueError, TypeError):
            raise _Unusable(f"one of {', '.join(member.value for member in kind)}") from None

    return read


_INPUT_READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _text(MAX_TEXT_CHARS),
    "dtype": _member(DType),
    "nullable": _flag,
    "range": _pair,
    "quantiles": _numbers,
    "limits": _bounds,
    "categories": _labels,
    "closed": _flag,
    "unit": _text(MAX_TEXT_CHARS),
    "help": _text(MAX_HELP_CHARS),
    "example": _scalar,
}
_OUTPUT_READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _text(MAX_TEXT_CHARS),
    "task": _member(Task),
    "classes": _labels,
    "probabilities": _flag,
    "unit": _text(MAX_TEXT_CHARS),
    "help": _text(MAX_HELP_CHARS),
}
