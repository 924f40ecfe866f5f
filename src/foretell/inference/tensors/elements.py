"""The elements of a tensor that came as JSON, held to its datatype: a number is a number, and fits."""

from collections.abc import Sequence
from typing import Any

from foretell.inference.codec.wording import shown
from foretell.inference.tensors.datatypes import Datatype, Kind
from foretell.inference.tensors.shapes import wrong

_PLAIN: dict[Kind, set[type]] = {Kind.BOOL: {bool}, Kind.INT: {int}, Kind.FLOAT: {int, float}, Kind.BYTES: {str}}
_EXPECTED = {Kind.BOOL: "true or false", Kind.INT: "an integer", Kind.FLOAT: "a number", Kind.BYTES: "a text"}


def check_elements(values: Sequence[Any], datatype: Datatype, at: str) -> None:
    """Raise InvalidInput for the first element that is none of this datatype; null is a missing value, whatever the type.

    A number that float64 cannot hold is left to the input that it is for, which says so in its own words.
    """
    if datatype.is_binary_only:
        detail = f"Found {datatype.name} in JSON; expected it as binary data, or as FP32."
        raise wrong(at, "datatype", "binary_only", detail)
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= _PLAIN[datatype.kind] and _are_within(values, datatype):
        return
    for value in values:
        if value is not None and (fault := _fault(value, datatype)) is not None:
            raise wrong(at, "data", *fault)


def _are_within(values: Sequence[Any], datatype: Datatype) -> bool:
    if datatype.kind not in (Kind.INT, Kind.FLOAT):
        return True
    present = [value for value in values if value is not None]
    return not present or (datatype.least <= min(present) and max(present) <= datatype.most)


def _fault(value: Any, datatype: Datatype) -> tuple[str, str] | None:
    expected = _EXPECTED[datatype.kind]
    is_number = type(value) in (int, float) and datatype.kind in (Kind.INT, Kind.FLOAT)
    if type(value) not in _PLAIN[datatype.kind] and not is_number:
        return "wrong_type", f"Found {shown(value)}; expected {expected}, as the datatype {datatype.name} says."
    if not is_number:
        return None
    # JSON has one kind of number: 3.0 is the integer 3, and 3.5 is none.
    if datatype.kind is Kind.INT and not float_is_whole(value):
        return "not_an_integer", f"Found {shown(value)}; expected {expected}, as the datatype {datatype.name} says."
    if not datatype.least <= value <= datatype.most:
        return "out_of_range", f"Found {shown(value)}; expected {expected} that fits {datatype.name}."
    return None


def float_is_whole(value: float) -> bool:
    return isinstance(value, int) or value.is_integer()
