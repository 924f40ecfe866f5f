"""What is stored in one transaction: pieces of several segments, up to a size and a number of tenants."""

from collections.abc import Sequence

from foretell.monitoring.tailing import Span


class Batch:
    def __init__(self, max_bytes: int, max_tenants: int) -> None:
        self.spans: list[Span] = []
        self.left_bytes = max_bytes
        self._max_tenants = max_tenants
        self._is_full = False
        self._tenants: set[str] = set()

    @property
    def is_full(self) -> bool:
        return self._is_full or self.left_bytes <= 0

    def take(self, span: Span) -> int:
        """Take what there is room for; return the offset behind it."""
        tenants = self._tenants | span.tenants
        if len(tenants) > self._max_tenants:
            self._is_full = True
            n_records = self._n_that_fit(span)
            if not n_records:
                return span.start
            span, _ = span.split(n_records)
        self._tenants = tenants
        self.left_bytes -= span.end - span.start
        self.spans.append(span)
        return span.end

    def _n_that_fit(self, span: Span) -> int:
        tenants = set(self._tenants)
        for position, record in enumerate(span.records):
            tenants.add(record.tenant)
            if len(tenants) > self._max_tenants:
                return position
        return len(span.records)


def halves(spans: Sequence[Span]) -> list[Sequence[Span]]:
    """Return the same in two parts; none where it is a single record."""
    if len(spans) > 1:
        middle = len(spans) // 2
        return [spans[:middle], spans[middle:]]
    (span,) = spans
    if len(span.records) > 1:
        return [[half] for half in span.split(len(span.records) // 2)]
    return []
