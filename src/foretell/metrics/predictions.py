"""What is counted of each prediction on the lane: plain numbers in lists, one entry for each version that is asked.

Optimization: no locks and no labels on the way; the event loop alone counts. Labels are put together when somebody looks.
"""

import threading
import time
from collections.abc import Callable, Iterator

from foretell.metrics import families
from foretell.metrics.instruments import OTHER, Histogram
from foretell.metrics.snapshots import Series

FACES = ("rest", "form", "oip", "kserve", "mlflow", "websocket", "batch", OTHER)
STATUSES = (200, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 429, 500, 503)
STATUS_LABELS = (*(str(status) for status in STATUSES), OTHER)
_WIDTH = len(STATUS_LABELS)
_FACE_AT = {face: index * _WIDTH for index, face in enumerate(FACES)}
_OTHER_FACE_AT = (len(FACES) - 1) * _WIDTH
_STATUS_AT = {status: index for index, status in enumerate(STATUSES)}

MAX_ENTRIES = 2_000
IDLE_S = 3_600.0
EVICT_EVERY_S = 60.0

Key = tuple[str, str, int | None]  # tenant, model, version; "" and None where they are not known
REST: Key = ("", OTHER, None)  # no tenant is called "": no model of anybody's is meant


def now_s() -> float:
    """Seconds since 1970: entries of several processes are compared."""
    return time.time_ns() / 1e9


class Entry:
    """What was asked of one version."""

    __slots__ = ("_cached", "_n_seen", "counts", "model_seconds", "rows", "seconds", "used_at")

    def __init__(self, used_at: float = 0.0) -> None:
        self.counts = [0] * (len(FACES) * _WIDTH)
        self.rows = 0
        self.seconds, self.model_seconds = Histogram(), Histogram()
        self.used_at = used_at
        self._n_seen = 0
        self._cached: list[tuple[str, Series]] = []

    def observe(self, face: str, status: int, seconds: float, rows: int = 0, model_s: float | None = None) -> None:
        self.counts[_FACE_AT.get(face, _OTHER_FACE_AT) + _STATUS_AT.get(status, _WIDTH - 1)] += 1
        self.seconds.observe(seconds)
        if model_s is not None:
            self.rows += rows
            self.model_seconds.observe(model_s)

    def look(self, now: float) -> None:
        """Note whether it was used since the last look. Optimization: the path reads no clock for it."""
        n_seen = sum(self.counts)
        if n_seen != self._n_seen:
            self._n_seen, self.used_at = n_seen, now
            self._cached = []

    def series(self, key: Key) -> list[tuple[str, Series]]:
        """Return the series of each family; those of an entry that was not used since are as they were."""
        if not self._cached:
            self._cached = list(self._series(key))
        return self._cached

    def absorb(self, other: "Entry") -> None:
        """Add what another one counted."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.rows += other.rows
        for mine, theirs in ((self.seconds, other.seconds), (self.model_seconds, other.model_seconds)):
            mine.counts = [a + b for a, b in zip(mine.counts, theirs.counts, strict=True)]
            mine.sum_s += theirs.sum_s

    def _series(self, key: Key) -> Iterator[tuple[str, Series]]:
        tenant, model, version = key
        labels = (tenant, model, "" if version is None else str(version))
        for index, count in enumerate(self.counts):
            if count:
                face, status = FACES[index // _WIDTH], STATUS_LABELS[index % _WIDTH]
                yield families.PREDICTIONS.name, Series((*labels, face, status), [count], self.used_at)
        yield families.SECONDS.name, Series(labels, self.seconds.values(), self.used_at)
        if any(self.model_seconds.counts):
            yield families.ROWS.name, Series(labels, [self.rows], self.used_at)
            yield families.MODEL_SECONDS.name, Series(labels, self.model_seconds.values(), self.used_at)


class PredictionMetrics:
    """The entries of this process: at most `max_entries`, and one for all others together."""

    def __init__(self, *, max_entries: int = MAX_ENTRIES, clock: Callable[[], float] = now_s) -> None:
        self._max_entries, self._clock = max_entries, clock
        self._entries: dict[Key, Entry] = {}
        self._rest = Entry()
        self._evicted_at = clock()
        self._turn = threading.Lock()  # whoever reads, and whoever evicts: never for the counting itself

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, tenant: str, model: str, version: int | None) -> Entry:
        """Return where a version's predictions are counted. Security: the names are such that exist; others are ""."""
        found = self._entries.get((tenant, model, version))
        return found if found is not None else self._new(tenant, model, version)

    def series(self) -> list[tuple[str, Series]]:
        """Return all series, by the names of their families."""
        with self._turn:
            now = self._clock()
            entries = list(self._entries.items())
            if any(self._rest.counts):
                entries.append((REST, self._rest))
            found: list[tuple[str, Series]] = []
            for key, entry in entries:
                entry.look(now)
                found += entry.series(key)
            return found

    def forget(self, tenant: str) -> None:
        """Tell a tenant that is gone apart no more: what it counted goes on in the rest."""
        with self._turn:
            for key in [key for key in list(self._entries) if key[0] == tenant]:
                self._rest.absorb(self._entries.pop(key))

    def _new(self, tenant: str, model: str, version: int | None) -> Entry:
        if len(self._entries) >= self._max_entries and not self._evicted():
            return self._rest
        entry = self._entries[tenant, model, version] = Entry(self._clock())
        return entry

    def _evicted(self) -> bool:
        """Let entries go that were not used for long; their counts go on in the rest. Return whether there is room now.

        Race condition: who reads meanwhile would see counts twice or not at all, and a counter go back; so then it is left
        to the next prediction, for which the event loop does not wait.
        """
        now = self._clock()
        if now - self._evicted_at < EVICT_EVERY_S or not self._turn.acquire(blocking=False):
            return False
        try:
            self._evicted_at = now
            return self._evict(now)
        finally:
            self._turn.release()

    def _evict(self, now: float) -> bool:
        for entry in self._entries.values():
            entry.look(now)
        idle = [key for key, entry in self._entries.items() if now - entry.used_at >= IDLE_S]
        for key in idle:
            self._rest.absorb(self._entries.pop(key))
        return bool(idle)
