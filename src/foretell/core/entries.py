"""Entries of a JSON object in the database (tags, metrics), as something that a list is filtered and ordered by."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Expression, F, Func, JSONField, Model, OrderBy, QuerySet, Value
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

MAX_KEY_CHARS = 100
COMPARISONS: dict[str, Any] = {
    "gte": GreaterThanOrEqual,
    "lte": LessThanOrEqual,
    "gt": GreaterThan,
    "lt": LessThan,
}

AnyModel = TypeVar("AnyModel", bound=Model)
Narrow = Callable[[QuerySet[Any], Expression], QuerySet[Any]]


class Entry(Func):
    """One entry, whatever its name is: `->` would take `0` for a place in a list."""

    function = "jsonb_extract_path"
    output_field = JSONField()

    def __init__(self, column: str, key: str) -> None:
        super().__init__(F(column), Value(key))


def same_row(found: QuerySet[Any], condition: Expression) -> QuerySet[Any]:
    return found.filter(condition)


@dataclass(frozen=True, slots=True)
class Entries:
    """What may be asked of the entries of one JSON object.

    prefix : as it stands before the dot.
    column : where the object is, as seen by `narrow`.
    narrow : applies a condition on `column` to the list; the object may be another row's.
    ordered_in : brings the object within reach of an order, and says where it is then; None: there is no order by it.
    """

    prefix: str
    column: str
    has_numbers: bool
    narrow: Narrow = same_row
    ordered_in: Callable[[QuerySet[Any]], tuple[QuerySet[Any], str]] | None = None

    @property
    def is_ordered(self) -> bool:
        return self.ordered_in is not None

    def fault(self, key: str, text: str) -> str | None:
        name, _ = self._parted(key)
        if not name or len(name) > MAX_KEY_CHARS or "\0" in name:
            return f"{name!r:.60} is no name of a {self.prefix}. Expected 1 to {MAX_KEY_CHARS} characters."
        if not self.has_numbers:
            return "A text has no NUL characters." if "\0" in text else None
        return None if _number(text) is not None else f"Found {text!r:.60}, expected a number such as 0.9."

    def narrowed(self, found: QuerySet[AnyModel], key: str, text: str) -> QuerySet[AnyModel]:
        name, compare = self._parted(key)
        wanted: Any = _number(text) if self.has_numbers else text
        entry = Entry(self.column, name)
        return self.narrow(found, compare(entry, Value(wanted, output_field=JSONField())))

    def order(self, found: QuerySet[Any], key: str, *, is_descending: bool) -> tuple[QuerySet[Any], OrderBy]:
        """Return the list and its order by an entry; rows that have none come last either way."""
        assert self.ordered_in is not None  # noqa: S101  asked before
        within_reach, column = self.ordered_in(found)
        return within_reach, OrderBy(Entry(column, key), descending=is_descending, nulls_last=True)

    def parameter(self) -> dict[str, Any]:
        """Describe it in OpenAPI: an object whose keys are names."""
        comparisons = f"; also {self.prefix}.<name>__gte, __gt, __lte and __lt" if self.has_numbers else ""
        return {
            "name": f"{self.prefix}.<name>",
            "in": "query",
            "required": False,
            "description": f"The {self.prefix} of that name has this value{comparisons}.",
            "schema": {"type": "number" if self.has_numbers else "string"},
        }

    def _parted(self, key: str) -> tuple[str, Any]:
        name, _, comparison = key.rpartition("__")
        if self.has_numbers and name and comparison in COMPARISONS:
            return name, COMPARISONS[comparison]
        return key, Exact


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
