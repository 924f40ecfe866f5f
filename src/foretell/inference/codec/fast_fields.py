"""What msgspec is told about the inputs of a signature, so that it checks while it reads."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from foretell.inference.codec.column_readers import MAX_TEXT_CHARS
from foretell.inference.columns import has_numbers
from foretell.inference.signature import DType, Input
from foretell.inference.signature_checks import MAX_SAFE_INTEGER, parsed_datetime

Values = tuple[Any, ...]
Check = Callable[[Any], bool]


def row_type(name: str, sources: Sequence[Input], types: Sequence[Any]) -> type[msgspec.Struct]:
    """Return a struct with a field for each input; what may be missing is UNSET where it is.

    Raises
    ------
    ValueError
        where a name has characters that msgspec takes for no field.
    """
    names = [f"f{position}" for position in range(len(sources))]
    fields = [
        (field, kind | UnsetType, UNSET) if source.nullable else (field, kind)
        for field, source, kind in zip(names, sources, types, strict=True)
    ]
    renamed = dict(zip(names, (source.name for source in sources), strict=True))
    return msgspec.defstruct(name, fields, rename=renamed, forbid_unknown_fields=True, kw_only=True)


def usual_type(source: Input) -> Any:
    """Return the type of values of which nothing is to be said: neither a fault nor a warning."""
    kind = Annotated[float, _usual_numbers(source)] if _is_number(source) else _kind(source)
    return kind | None if source.nullable else kind


def valid_type(source: Input) -> Any:
    """Return a type that each valid value has; numbers stay as they were written."""
    kind = int | float if _is_number(source) else _kind(source)
    return kind | None if source.nullable else kind


def check_of(source: Input) -> Check | None:
    """Return what is to be asked beside `usual_type`; None where that says all."""
    if source.dtype is DType.CATEGORY:
        known = frozenset(source.categories) | ({None} if source.nullable else set())
        return known.__contains__
    if source.dtype is DType.STRING:
        return lambda value: value is None or "\x00" not in value
    return _is_moment if source.dtype is DType.DATETIME else None


def _is_number(source: Input) -> bool:
    return source.dtype in (DType.FLOAT, DType.INT) or has_numbers(source)


def _kind(source: Input) -> Any:
    return bool if source.dtype is DType.BOOL else Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]


def _usual_numbers(source: Input) -> Meta:
    """Bound numbers by range and limits; integers that float64 may not hold are nothing usual."""
    bounds = [source.range or (None, None), source.limits or (None, None)]
    least = max((least for least, _ in bounds if least is not None), default=-MAX_SAFE_INTEGER)
    most = min((most for _, most in bounds if most is not None), default=MAX_SAFE_INTEGER)
    above = {"ge": least} if least > -MAX_SAFE_INTEGER else {"gt": -MAX_SAFE_INTEGER}
    below = {"le": most} if most < MAX_SAFE_INTEGER else {"lt": MAX_SAFE_INTEGER}
    return Meta(**above, **below, multiple_of=1 if source.dtype is DType.INT else None)


def _is_moment(value: str | None) -> bool:
    try:
        return value is None or bool(parsed_datetime(value))
    except ValueError:
        return False
