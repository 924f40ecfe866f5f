"""The readers of categories, open and closed, of words and of numbers; and which reader an input has."""

from typing import Any

from foretell.inference.codec.column_readers import (
    BooleanReader,
    ColumnReader,
    DatetimeReader,
    Fault,
    IntegerReader,
    NumberReader,
    TextReader,
    Values,
    whole_fault,
)
from foretell.inference.codec.wording import listed, shown
from foretell.inference.columns import has_numbers
from foretell.inference.signature import DType, Input


def reader_of(source: Input) -> ColumnReader:
    """Return the reader for an input."""
    if source.dtype is DType.CATEGORY:
        return NumberCategoryReader(source) if has_numbers(source) else WordCategoryReader(source)
    return _READERS[source.dtype](source)


class CategoryReader(ColumnReader):
    """Shared by categories of words and of numbers: what is known, and what happens with what is not."""

    def __init__(self, source: Input) -> None:
        super().__init__(source)
        self.known = frozenset(source.categories)

    def _are_plain(self, present: Values) -> bool:
        return self.known.issuperset(present)

    def _choice_fault(self, value: Any) -> Fault | None:
        if value in self.known or not self.source.closed:
            return None
        return "not_a_choice", f"Found {shown(value)}; expected one of {listed(self.source.categories)}."

    def _may_warn(self, values: Values) -> bool:
        return not self.source.closed and not self.known.issuperset(values)

    def _warning(self, value: Any) -> Fault | None:
        if value in self.known:
            return None
        known = listed(self.source.categories)
        return "unseen_category", f"Found {shown(value)}; the training data had {known}."


class WordCategoryReader(CategoryReader, TextReader):
    def _fault(self, value: Any) -> Fault | None:
        if not isinstance(value, str):
            return "not_a_choice", f"Found {shown(value)}; expected one of {listed(self.source.categories)}."
        return TextReader._fault(self, value) or self._choice_fault(value)


class NumberCategoryReader(CategoryReader, NumberReader):
    def __init__(self, source: Input) -> None:
        super().__init__(source)
        self.are_whole = all(type(label) is int for label in source.categories)

    def _fault(self, value: Any) -> Fault | None:
        fault = NumberReader._fault(self, value) or self._choice_fault(value)
        if fault is None and self.are_whole:
            return whole_fault(value, "an integer, as the known categories are")
        return fault


_READERS: dict[DType, type[ColumnReader]] = {
    DType.FLOAT: NumberReader,
    DType.INT: IntegerReader,
    DType.BOOL: BooleanReader,
    DType.STRING: TextReader,
    DType.DATETIME: DatetimeReader,
}
