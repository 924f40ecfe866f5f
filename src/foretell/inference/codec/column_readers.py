"""One input's values, checked and made an array.

Each kind of input has a reader with two halves that say the same: `fault` is the rule, for one value, in words; `_are_plain` is its fast form for a whole column, which may be unsure and
then leaves the word to `fault`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import NoneType
from typing import Any

import numpy as np

from foretell.inference.batch import Array
from foretell.inference.codec.wording import shown
from foretell.inference.columns import column_dtype
from foretell.inference.signature import Input
from foretell.inference.signature_checks import MAX_SAFE_INTEGER, is_clean_text, parsed_datetime

MAX_TEXT_CHARS = 100_000

Fault = tuple[str, str]  #: code and detail
Values = Sequence[Any]


class Absent:
    """Stands in for a value that did not come, or (`REPORTED`) whose fault is known already."""


ABSENT, REPORTED = Absent(), Absent()


class ColumnReader(ABC):
    """Reads one input.

    Values are Python's, as JSON has them: bool, int, float, str, None, list, dict; or one of the two stand-ins.
    """

    kinds: frozenset[type]
    expected: str

    def __init__(self, source: Input) -> None:
        self.source = source
        self.dtype = column_dtype(source)
        self.plain_kinds = self.kinds | {NoneType} if source.nullable else self.kinds

    def read(self, values: Values) -> Array | None:
        """Return the column; None when a value does not fit: then `faults` says which."""
        kinds = set(map(type, values))
        present = [value for value in values if value is not None] if NoneType in kinds else values
        is_plain = kinds <= self.plain_kinds and (not present or self._are_plain(present))
        if Absent in kinds or (not is_plain and any(map(self.fault, values))):
            return None
        return self.array(values)

    def faults(self, values: Values) -> Iterator[tuple[int, Fault]]:
        """Yield the row and the fault of each value that does not fit."""
        for row, value in enumerate(values):
            if (fault := self.fault(value)) is not None:
                yield row, fault

    def warnings(self, values: Values) -> Iterator[tuple[int, Fault]]:
        """Yield the row and the reason of each value that fits, but that training has not seen the like of."""
        if not self._may_warn(values):
            return
        for row, value in enumerate(values):
            if value is not None and (warning := self._warning(value)) is not None:
                yield row, warning

    def fault(self, value: Any) -> Fault | None:
        if value is REPORTED or (value is None and self.source.nullable):
            return None
        if value is ABSENT:
            return "required", f"This input is missing; expected {self.expected}."
        if value is None:
            return "null", f"Found null; expected {self.expected}: this input may not be missing."
        return self._fault(value)

    def _wrong_kind(self, code: str, value: Any) -> Fault:
        return code, f"Found {shown(value)}; expected {self.expected}."

    @abstractmethod
    def _are_plain(self, present: Values) -> bool:
        """Whether values of the right kinds, none of them missing, surely fit."""

    @abstractmethod
    def _fault(self, value: Any) -> Fault | None: ...

    def _may_warn(self, values: Values) -> bool:
        return False

    def _warning(self, value: Any) -> Fault | None:
        return None

    def array(self, values: Values) -> Array:
        if self.dtype is not object:
            return np.array(values, dtype=self.dtype)
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array


class NumberReader(ColumnReader):
    kinds = frozenset({int, float})
    expected = "a number"

    def __init__(self, source: Input) -> None:
        super().__init__(source)
        self.least, self.most = source.limits or (None, None)
        self.safe_least = max(-MAX_SAFE_INTEGER, -math.inf if self.least is None else self.least)
        self.safe_most = min(MAX_SAFE_INTEGER, math.inf if self.most is None else self.most)

    def _are_plain(self, present: Values) -> bool:
        # The sum is NaN when a value is; the least and the greatest would not show it.
        is_within = min(present) >= self.safe_least and max(present) <= self.safe_most
        return is_within and not math.isnan(sum(present))

    def _fault(self, value: Any) -> Fault | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong_kind("not_a_number", value)
        if isinstance(value, float) and not math.isfinite(value):
            return "not_finite", f"Found {_infinite(value)}; expected a finite number."
        if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER:
            return (
                "too_large",
                f"Found {shown(value)}; expected an integer from -2^53 to 2^53, which float64 holds exactly.",
            )
        return self._limit_fault(value)

    def _limit_fault(self, value: float) -> Fault | None:
        if self.least is not None and value < self.least:
            return "min_value", f"Found {shown(value)}; expected at least {self.least:g}."
        if self.most is not None and value > self.most:
            return "max_value", f"Found {shown(value)}; expected at most {self.most:g}."
        return None

    def _may_warn(self, values: Values) -> bool:
        if self.source.range is None:
            return False
        present = [value for value in values if value is not None] if self.source.nullable else values
        return bool(present) and (min(present) < self.source.range[0] or max(present) > self.source.range[1])

    def _warning(self, value: float) -> Fault | None:
        least, most = self.source.range or (-math.inf, math.inf)
        if least <= value <= most:
            return None
        return "out_of_range", f"Found {shown(value)}; the training data had values from {least:g} to {most:g}."


class IntegerReader(NumberReader):
    """JSON has one kind of number: 3.0 is the integer 3, and 3.5 is none."""

    kinds = frozenset({int})
    expected = "an integer"

    def _fault(self, value: Any) -> Fault | None:
        return super()._fault(value) or whole_fault(value, self.expected)


class BooleanReader(ColumnReader):
    kinds = frozenset({bool})
    expected = "true or false"

    def _are_plain(self, present: Values) -> bool:
        return True

    def _fault(self, value: Any) -> Fault | None:
        return None if isinstance(value, bool) else self._wrong_kind("not_a_boolean", value)


class TextReader(ColumnReader):
    kinds = frozenset({str})
    expected = "a text"

    def _are_plain(self, present: Values) -> bool:
        return sum(map(len, present)) <= MAX_TEXT_CHARS and is_clean_text("".join(present))

    def _fault(self, value: Any) -> Fault | None:
        if not isinstance(value, str):
            return self._wrong_kind("not_a_string", value)
        if len(value) > MAX_TEXT_CHARS:
            return "max_length", f"Found {len(value):,} characters; expected at most {MAX_TEXT_CHARS:,}."
        if not is_clean_text(value):
            return "invalid_text", "Found a NUL character or half a character pair; expected neither."
        return None


class DatetimeReader(ColumnReader):
    kinds = frozenset({str})
    expected = 'an ISO 8601 date or time such as "2024-02-29T12:30:00Z"'

    def _are_plain(self, present: Values) -> bool:
        return False

    def _fault(self, value: Any) -> Fault | None:
        try:
            if isinstance(value, str):
                parsed_datetime(value)
                return None
        except ValueError:
            pass
        return self._wrong_kind("not_a_datetime", value)

    def array(self, values: Values) -> Array:
        moments = [None if value is None else parsed_datetime(value).replace(tzinfo=None) for value in values]
        return np.array(moments, dtype=self.dtype)


def whole_fault(value: float, expected: str) -> Fault | None:
    if not float(value).is_integer():
        return "not_an_integer", f"Found {shown(value)}; expected {expected}."
    if abs(value) > MAX_SAFE_INTEGER:
        return "too_large", f"Found {shown(value)}; expected an integer from -2^53 to 2^53."
    return None


def _infinite(value: float) -> str:
    return "NaN" if math.isnan(value) else "a number that is too large for float64"
