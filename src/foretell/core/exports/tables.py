"""What is exported: named, typed columns, and rows that come in parts. Knows nothing of a format."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from django.db import connection, models

from foretell.core.tenancy import HasSchema, use_tenant

PART = 2_000

Row = Sequence[Any]
AnyModel = TypeVar("AnyModel", bound=models.Model)


class Kind(Enum):
    """What a column's cells are; None is a missing value in each."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    TIME = "time"  # datetime with a time zone
    JSON = "json"  # what JSON can say; a text where the format knows no such thing


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """A list as it is exported.

    name : of the file, without its ending.
    parts : rows, some thousand at a time; nothing is read before it is asked for, and each part is asked for in any thread.
    """

    name: str
    columns: Sequence[Column]
    parts: Iterator[Sequence[Row]]


class for_tenant(Iterator[Sequence[Row]]):
    """Parts that are each read in the tenant's schema, whichever thread asks: the middleware is done with the request by then.

    The connection is given back after each part, since a slow reader would keep it from others.
    """

    def __init__(self, tenant: HasSchema, parts: Iterable[Sequence[Row]]) -> None:
        self._tenant, self._parts = tenant, iter(parts)

    def __next__(self) -> Sequence[Row]:
        with use_tenant(self._tenant):
            try:
                return next(self._parts)
            finally:
                connection.close()


def by_keys(
    found: "models.QuerySet[AnyModel]", to_rows: Callable[[Sequence[AnyModel]], Iterable[Row]]
) -> Iterator[list[Row]]:
    """Yield the rows of a queryset in its order, whatever that is: its keys are read first, then each part by its keys.

    What is deleted meanwhile is left out. Eight bytes a row are held, no cursor and no connection.
    """
    keys = array("q", found.values_list("pk", flat=True).iterator(chunk_size=50_000))
    for start in range(0, len(keys), PART):
        wanted = keys[start : start + PART].tolist()
        rows = {row.pk: row for row in found.order_by().filter(pk__in=wanted)}
        yield list(to_rows([rows[key] for key in wanted if key in rows]))
