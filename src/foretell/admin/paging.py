"""Pages of tables that grow without end."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator

if TYPE_CHECKING:
    Base = Paginator[Any]
else:
    Base = Paginator

COUNTED_TO = 5_000


class CappedPaginator(Base):
    """Counts the newest rows, and no further. Optimization: a log has millions, and counting reads them all."""

    object_list: Any

    @cached_property
    def count(self) -> int:
        return int(self.object_list[:COUNTED_TO].count())
