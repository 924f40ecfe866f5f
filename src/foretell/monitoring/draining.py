"""Moves the prediction log from its segments to the database: each record once, whatever dies and whenever.

A batch and the marks of how far it goes are one transaction, and after any failure the marks are read again. So it does not matter
whether a commit whose answer never came was one. A segment is deleted when it is stored to its end and its writer is gone.
What a tenant's schema does not take waits where it is, and holds up nobody else's.
"""

import contextlib
import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import structlog

from foretell.errors import ForetellError
from foretell.monitoring.batching import Batch
from foretell.monitoring.marking import Connection, MarkMoved
from foretell.monitoring.settling import Settler
from foretell.monitoring.storing import SchemaUnready, Store
from foretell.monitoring.tailing import Span, TailedSegment
from foretell.segments.files import segment_paths, sweep_unnamed
from foretell.segments.lag import Progress, read_progress, write_progress

log = structlog.get_logger(__name__)

POLL_S = 0.5
BATCH_BYTES = 4 << 20
WAITING_AGAIN_S = 10.0
WAITING_BYTES = 256 << 10  # of a piece, at once: a try that fails has not read much
LONGEST_BACKOFF_S = 10.0
LAST_DRAIN_S = 3.0  # longest that a worker drains on after it was told to stop


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
        self._settler = Settler(directory, self._progress)
        self._waiting_again_at = 0.0
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
            self._settler = Settler(self._directory, self._progress)
            yield
        finally:
            self._let_go()
            os.close(descriptor)

    def _drain_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            is_drained = self._tried()
            stop.wait(self._rest_s() if is_drained else _backoff_s(self._failures))
        deadline = time.monotonic() + LAST_DRAIN_S
        while not self._tried() and time.monotonic() < deadline:
            time.sleep(self._poll_s)

    def _rest_s(self) -> float:
        """Return for how long is gathered: longer where a few predictions come in of each of many tenants."""
        return self._poll_s * 2 if self._settler.is_spread else self._poll_s

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
                self._settler.settle(spans, self._connected().store)
                has_stored = True
            is_more = any(segment.has_more for segment in self._segments.values())
        has_stored |= self._store_waiting()
        if self._put_finished_away() or has_stored:
            self._write_progress()
        return self._progress.n_predictions - before

    def _open_new(self) -> None:
        fresh = [path for path in segment_paths(self._directory) if path.stem not in self._segments]
        if not fresh:
            return
        store = self._connected()
        marks = store.marks([path.stem for path in fresh])
        for path in fresh:
            with contextlib.suppress(FileNotFoundError):
                self._segments[path.stem] = TailedSegment(path, marks.get(path.stem, 0))
        store.waiting = {piece: bounds for piece, bounds in store.waiting.items() if piece[0] in self._segments}

    def _collected(self) -> list[Span]:
        """Return the next batch: of all segments in turn, up to a size and a number of tenants."""
        batch = Batch(self._batch_bytes, self._settler.max_tenants)
        for name, segment in list(self._segments.items()):
            if batch.is_full:
                segment.has_more = True  # for all we know
            elif span := segment.read(batch.left_bytes):
                self._segments[name] = self._segments.pop(name)  # the others first, next time
                end = batch.take(span)
                if end < span.end:
                    segment.read_again_from(end)
        return batch.spans

    def _store_waiting(self) -> bool:
        """Try again, from time to time, to store what waits; return whether anything was stored."""
        if self._store is None or not self._store.waiting or time.monotonic() < self._waiting_again_at:
            return False
        self._waiting_again_at = time.monotonic() + WAITING_AGAIN_S
        tenants = {tenant for _, tenant in self._store.waiting}
        stored = [tenant for tenant in tenants if self._store_waiting_of(tenant, self._store)]
        return bool(stored)

    def _store_waiting_of(self, tenant: str, store: Store) -> bool:
        try:
            while pieces := [name for name, whose in store.waiting if whose == tenant]:
                span = self._segments[pieces[0]].read_of(
                    tenant, *store.waiting[pieces[0], tenant], part_bytes=WAITING_BYTES
                )
                self._settler.settle([span], partial(store.store_waiting, tenant))
        except SchemaUnready:
            return False
        log.info("predictions of a tenant that waited for its schema are stored", tenant=tenant)
        return True

    def _write_progress(self) -> None:
        """Note down how far segments are drained: up to the first record that waits, since that is what others ask."""
        offsets = {name: segment.offset for name, segment in self._segments.items()}
        for (name, _), (begins, _) in self._connected().waiting.items():
            offsets[name] = min(offsets[name], begins)
        self._progress.offsets = offsets
        write_progress(self._directory, self._progress)

    def _put_finished_away(self) -> bool:
        waiting = {name for name, _ in self._store.waiting} if self._store else set()
        finished = [one for one in self._segments.values() if one.is_finished and one.name not in waiting]
        for segment in finished:
            self._put_away(segment)
        return bool(finished)

    def _put_away(self, segment: TailedSegment) -> None:
        segment.put_away()
        self._connected().forget(segment.name)
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


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AnotherDrains(directory) from None


def _backoff_s(failures: int) -> float:
    """Return a wait that grows, and differs between processes, so that they do not all come back at once."""
    return min(LONGEST_BACKOFF_S, POLL_S * 2.0**failures) * random.uniform(0.5, 1.0)  # noqa: S311  no secret
