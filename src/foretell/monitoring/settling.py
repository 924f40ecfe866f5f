"""Brings a batch into the database whatever is in it: a record that fits no row is set aside, and holds up no other."""

from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import structlog

from foretell.monitoring.batching import halves
from foretell.monitoring.storing import FITS_NO_ROW, Stored
from foretell.monitoring.tailing import Span, set_aside
from foretell.segments.lag import Progress
from foretell.segments.records import encode_plain

log = structlog.get_logger(__name__)

MAX_TENANTS = 800  # of one transaction: each takes locks on its tables and their indexes, and the server's table of locks is finite
MANY_TENANTS = 20
FEW_EACH = 20  # predictions of a tenant: what a tenant costs is then more than what its predictions do

StoreAll = Callable[[Sequence[Span]], Stored]


class Settler:
    """Counts in `progress` what became of the records.

    max_tenants : how many a batch may have, as far as is known of the database.
    is_spread : the last batch had a few predictions of each of many tenants.
    """

    def __init__(self, directory: Path, progress: Progress) -> None:
        self._directory, self._progress = directory, progress
        self.max_tenants = MAX_TENANTS
        self.is_spread = False

    def settle(self, spans: Sequence[Span], store: StoreAll) -> None:
        """Store all that fits."""
        try:
            stored = store(spans)
        except psycopg.errors.OutOfMemory as err:
            self._take_fewer_tenants(spans, err)
            parts = halves(spans)
        except FITS_NO_ROW as err:
            parts = halves(spans) or [[self._without_record(spans[0], err)]]
        else:
            self._count(stored)
            return
        for part in parts:
            self.settle(part, store)

    def _count(self, stored: Stored) -> None:
        self._progress.n_predictions += stored.n_predictions
        self._progress.n_dropped += stored.n_dropped
        self.is_spread = stored.n_tenants > MANY_TENANTS and stored.n_predictions < FEW_EACH * stored.n_tenants
        if stored.n_missed:
            log.warning("predictions were answered that could not be logged", count=stored.n_missed)
        if stored.n_dropped:
            log.warning("predictions of tenants that are gone were dropped", count=stored.n_dropped)

    def _take_fewer_tenants(self, spans: Sequence[Span], err: Exception) -> None:
        n_tenants = len(set[str]().union(*(span.tenants for span in spans)))
        if n_tenants < 2:
            raise err
        self.max_tenants = n_tenants // 2
        log.warning(
            "the database has too few locks; see max_locks_per_transaction", tenants=n_tenants, error=str(err).strip()
        )

    def _without_record(self, span: Span, err: Exception) -> Span:
        if not span.records:
            raise err
        set_aside(self._directory, span.segment, span.starts[0], encode_plain(span.records[0]), reason=str(err))
        self._progress.n_rejected += 1
        return Span(span.segment, span.start, span.end, [], [])
