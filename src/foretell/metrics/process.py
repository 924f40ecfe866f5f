"""What this process counts, all together, and the thread that publishes it once a second."""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from foretell.metrics import families
from foretell.metrics.exposition import exposed
from foretell.metrics.families import Family
from foretell.metrics.instruments import Callback, Counter, Reading
from foretell.metrics.predictions import PredictionMetrics, now_s
from foretell.metrics.process_files import ProcessFile, forget_tenant, read_all
from foretell.metrics.snapshots import Series, Snapshot, merged, with_gauges_of

log = logging.getLogger(__name__)

PUBLISH_EVERY_S = 1.0
MAX_HTTP_SERIES = 1_000


class ProcessMetrics:
    """The metrics of one process, from `start` to `stop` in a file that the others read.

    Parameters
    ----------
    directory
        Where the files of all processes are.
    """

    def __init__(self, directory: Path) -> None:
        self.predictions = PredictionMetrics()
        self.http_requests = Counter(families.HTTP_REQUESTS, max_series=MAX_HTTP_SERIES)
        self._directory = directory
        self._own: list[Counter | Callback] = [self.http_requests]
        self._of_installation: list[Callback] = []
        self._file: ProcessFile | None = None
        self._published = Snapshot()
        self._is_behind = False
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, family: Family, read: Reading) -> None:
        """Show what `read` returns; it is called in any thread, and must not wait."""
        self._own.append(Callback(family, read))

    def add_of_installation(self, family: Family, read: Reading) -> None:
        """Show what is the same whichever process looks; it is read only when somebody asks, and may look at files."""
        self._of_installation.append(Callback(family, read))

    def start(self) -> None:
        self._stopping.clear()
        self._try_to_publish()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Publish for the last time."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=2 * PUBLISH_EVERY_S)
        self._try_to_publish()
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Publish for the length of the block."""
        self.start()
        try:
            yield
        finally:
            self.stop()

    def publish(self) -> None:
        """Write down what was counted by now.

        Raises
        ------
        OSError
            as where the disk is full.
        """
        with self._lock:
            if self._file is None:
                self._file = ProcessFile(self._directory)
            snapshot = self.snapshot()
            self._file.publish(snapshot)
            self._published = snapshot

    def forget_tenant(self, tenant: str) -> None:
        """Name a tenant that is gone no more, neither here nor in what dead processes counted."""
        self.predictions.forget(tenant)
        self._try_to_publish()
        forget_tenant(self._directory, tenant=tenant)

    def snapshot(self) -> Snapshot:
        return Snapshot(series=[*self.predictions.series(), *_read(self._own)])

    def exposition(self, *, accept: str = "") -> tuple[bytes, str]:
        """Return what all processes counted, for Prometheus, and its content type. Reads files: not for an event loop."""
        is_published = self._try_to_publish()
        found = read_all(self._directory, instead={} if is_published else self._as_it_stands())
        found.update(merged([Snapshot(series=_read(self._of_installation))]))
        return exposed(found, accept=accept, now=now_s())

    def _run(self) -> None:
        while not self._stopping.wait(PUBLISH_EVERY_S):
            self._try_to_publish()

    def _try_to_publish(self) -> bool:
        """Publish, if that can be done. A full disk stops neither the process nor whoever looks why predictions are refused."""
        try:
            self.publish()
        except Exception as err:
            if not self._is_behind:
                log.warning("the metrics of this process cannot be written; each second tries again", exc_info=err)
            self._is_behind = True
            return False
        self._is_behind = False
        return True

    def _as_it_stands(self) -> dict[str, Snapshot]:
        """Return what to show of this process where that cannot be written down.

        Gauges are of now; counters stay as they were published, lest they go back when the next one to ask reads the file.
        """
        with self._lock:
            name = self._file.name if self._file is not None else ""
            return {name: with_gauges_of(self.snapshot(), self._published)}


def _read(instruments: Iterable[Counter | Callback]) -> list[tuple[str, Series]]:
    found: list[tuple[str, Series]] = []
    for one in instruments:
        try:
            found += [(one.family.name, Series(labels, [float(value)])) for labels, value in one.series()]
        except Exception:
            log.warning("a metric cannot be read: %s", one.family.name, exc_info=True)
    return found
