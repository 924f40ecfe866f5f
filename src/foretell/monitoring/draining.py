"""Moves the prediction log from its segments to the database: each record once, whatever dies and whenever.

A batch and the marks of how far it goes are one transaction, and after any failure the marks are read again. So it does not matter
whether a commit whose answer never came was one. A segment is deleted when it is stored to its end and its writer is gone.
"""

import contextlib
import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import structlog

from foretell.errors import ForetellError
from foretell.monitoring.copying import Unstorable
from foretell.monitoring.storing import Connection, MarkMoved, Store
from foretell.monitoring.tailing import Span, TailedSegment, set_aside
from foretell.segments.files import segment_paths, sweep_unnamed
from foretell.segments.lag import Progress, read_progress, write_progress
from foretell.segments.records import encode_plain

log = structlog.get_logger(__name__)

POLL_S = 0.2
BATCH_BYTES = 4 << 20
MAX_TENANTS = 50  # of one transaction: each takes a lock on its tables and their indexes, and the server's table of locks is finite
LONGEST_BACKOFF_S = 10.0
LAST_DRAIN_S = 3.0  # longest that a worker drains on after it was told to stop

FITS_NO_ROW = (Unstorable, psycopg.DataError, psycopg.IntegrityError)


class AnotherDrains(ForetellError):
    code = "another_drains"

    def __init__(self, directory: Path) -> None:
        super().__init__(f"Another process drains {directory}.")


class Drainer:
    """Drains one directory; several on the same one take turns by a lock that ends with its holder.

    Parameters
    ----------
    connect
        Opens a connection of the drainer's own, in autocommit mode.
    """

    def __init__(
        self,
        directory: Path,
        connect: Callable[[], Connection],
        *,
        poll_s: float = POLL_S,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self._directory, self._connect = directory, connect
        self._poll_s, self._batch_bytes = poll_s, batch_bytes
        self._connection: Connection | None = None
        self._store: Store | None = None
        self._segments: dict[str, TailedSegment] = {}
        self._progress = Progress()
        self._failures = 0  # in a row

    def run(self, stop: threading.Event) -> None:
        """Drain until `stop`, and then what is there by then, if it can be done in a few seconds."""
        while not stop.is_set():
            try:
                with self._alone():
                    self._drain_until(stop)
            except AnotherDrains:
                stop.wait(1.0)
            except OSError as err:
                log.error("the prediction log's directory cannot be used", error=str(err))
                stop.wait(LONGEST_BACKOFF_S)

    def drain(self) -> int:
        """Drain what is there now; return how many predictions that were.

        Raises
        ------
        AnotherDrains
        """
        with self._alone():
            return self._pass()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._directory / "drainer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, self._directory)
            sweep_unnamed(self._directory)
            self._progress = read_progress(self._directory)
            yield
        finally:
            self._let_go()
            os.close(descriptor)

    def _drain_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            is_drained = self._tried()
            stop.wait(self._poll_s if is_drained else _backoff_s(self._failures))
        deadline = time.monotonic() + LAST_DRAIN_S
        while not self._tried() and time.monotonic() < deadline:
            time.sleep(self._poll_s)

    def _tried(self) -> bool:
        try:
            self._pass()
        except MarkMoved as err:
            log.warning("another drainer was here; looking again", reason=err.message)
        except (psycopg.Error, OSError) as err:
            if not self._failures:
                log.warning("the prediction log is kept, since it cannot be drained now", error=str(err).strip()[:500])
        except Exception:
            log.exception("draining the prediction log met something unexpected")
        else:
            if self._failures:
                log.info("the prediction log is being drained again")
            self._failures = 0
            return True
        self._failures += 1
        self._let_go()
        return False

    def _pass(self) -> int:
        """Store all that is there, batch by batch.

        Optimization: what comes in meanwhile is the next pass's. To go on until nothing is left would mean transactions of a
        handful of records for as long as predictions come in, and each costs as much as hundreds of records do.
        """
        self._open_new()
        before, has_stored, is_more = self._progress.n_predictions, False, True
        while is_more:
            if spans := self._collected():
                self._store_or_split(spans)
                has_stored = True
            is_more = any(segment.has_more for segment in self._segments.values())
        finished = [segment for segment in self._segments.values() if segment.is_finished]
        for segment in finished:
            self._put_away(segment)
        if has_stored or finished:
            write_progress(self._directory, self._progress)
        return self._progress.n_predictions - before

    def _open_new(self) -> None:
        fresh = [path for path in segment_paths(self._directory) if path.stem not in self._segments]
        if not fresh:
            return
        marks = self._connected().marks([path.stem for path in fresh])
        for path in fresh:
            with contextlib.suppress(FileNotFoundError):
                self._segments[path.stem] = TailedSegment(path, marks.get(path.stem, 0))

    def _collected(self) -> list[Span]:
        """Return the next batch: of all segments in turn, up to a size and a number of tenants."""
        batch = _Batch(self._batch_bytes)
        for name, segment in list(self._segments.items()):
            if batch.is_full:
                segment.has_more = True  # for all we know
            elif span := segment.read(batch.left_bytes):
                self._segments[name] = self._segments.pop(name)  # the others first, next time
                end = batch.take(span)
                if end < span.end:
                    segment.read_again_from(end)
        return batch.spans

    def _store_or_split(self, spans: Sequence[Span]) -> None:
        """Store the batch; where a record fits no row, everything but that record, which is set aside."""
        try:
            stored = self._connected().store(spans)
        except FITS_NO_ROW as err:
            for part in self._narrowed(spans, err):
                self._store_or_split(part)
            return
        self._progress.n_predictions += stored.n_predictions
        self._progress.n_dropped += stored.n_dropped
        self._progress.offsets |= {span.segment: span.end for span in spans}
        if stored.n_missed:
            log.warning("predictions were answered that could not be logged", count=stored.n_missed)
        if stored.n_dropped:
            log.warning("predictions of tenants that are gone were dropped", count=stored.n_dropped)

    def _narrowed(self, spans: Sequence[Span], err: Exception) -> Sequence[Sequence[Span]]:
        """Return the batch in halves, or, where it is the record that fits no row, without it."""
        if len(spans) > 1:
            middle = len(spans) // 2
            return spans[:middle], spans[middle:]
        (span,) = spans
        if len(span.records) > 1:
            return [[half] for half in span.split(len(span.records) // 2)]
        if not span.records:
            raise err
        set_aside(self._directory, span.segment, span.starts[0], encode_plain(span.records[0]), reason=str(err))
        self._progress.n_rejected += 1
        return [[Span(span.segment, span.start, span.end, [], [])]]

    def _put_away(self, segment: TailedSegment) -> None:
        segment.put_away()
        self._connected().forget(segment.name)
        self._progress.offsets.pop(segment.name, None)
        segment.close()
        del self._segments[segment.name]

    def _connected(self) -> Store:
        if self._store is None:
            self._connection = self._connect()
            self._store = Store(self._connection)
        return self._store

    def _let_go(self) -> None:
        """Forget everything that the database or the directory may know better."""
        for segment in self._segments.values():
            segment.close()
        self._segments = {}
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
        self._connection = self._store = None


class _Batch:
    """What is stored in one transaction."""

    def __init__(self, max_bytes: int) -> None:
        self.spans: list[Span] = []
        self.left_bytes = max_bytes
        self._is_full = False
        self._tenants: set[str] = set()

    @property
    def is_full(self) -> bool:
        return self._is_full or self.left_bytes <= 0

    def take(self, span: Span) -> int:
        """Take what there is room for; return the offset behind it."""
        tenants = self._tenants.union([record.tenant for record in span.records])
        if len(tenants) > MAX_TENANTS:
            self._is_full = True
            n_records = self._n_that_fit(span)
            if not n_records:
                return span.start
            span, _ = span.split(n_records)
        else:
            self._tenants = tenants
        self.left_bytes -= span.end - span.start
        self.spans.append(span)
        return span.end

    def _n_that_fit(self, span: Span) -> int:
        for position, record in enumerate(span.records):
            self._tenants.add(record.tenant)
            if len(self._tenants) > MAX_TENANTS:
                return position
        return len(span.records)


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AnotherDrains(directory) from None


def _backoff_s(failures: int) -> float:
    """Return a wait that grows, and differs between processes, so that they do not all come back at once."""
    return min(LONGEST_BACKOFF_S, POLL_S * 2.0**failures) * random.uniform(0.5, 1.0)  # noqa: S311  no secret
