"""What a process counts with, and what it is asked for when somebody looks."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus

from foretell.metrics.families import Family

BUCKETS_S = (
    50e-6, 100e-6, 250e-6, 500e-6, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
OTHER = "other"

Labels = tuple[str, ...]
Reading = Callable[[], float | Iterable[tuple[Labels, float]]]  # one value, or one for each set of labels


class Histogram:
    """Durations in fixed buckets. One thread at a time observes; any thread reads."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)  # the last: longer than all
        self.sum_s = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.sum_s += seconds

    def values(self) -> list[float]:
        return [*self.counts, self.sum_s]


class Counter:
    """A counter by labels, at most `max_series` of them; what is more is counted with ``other`` in each label.

    Safe for threads; too slow for the path of a prediction, which has `predictions.Entry`.
    """

    def __init__(self, family: Family, *, max_series: int = 1_000) -> None:
        self.family, self._max_series = family, max_series
        self._values: dict[Labels, int] = {}
        self._lock = threading.Lock()

    def add(self, *labels: str, count: int = 1) -> None:
        with self._lock:
            if labels not in self._values and len(self._values) >= self._max_series:
                labels = (OTHER,) * len(labels)
            self._values[labels] = self._values.get(labels, 0) + count

    def series(self) -> list[tuple[Labels, float]]:
        with self._lock:
            return list(self._values.items())


class Callback:
    """A gauge or a counter that somebody else keeps, and that is read when it is looked at."""

    def __init__(self, family: Family, read: Reading) -> None:
        self.family, self._read = family, read

    def series(self) -> list[tuple[Labels, float]]:
        found = self._read()
        return [((), found)] if isinstance(found, (int, float)) else list(found)


@lru_cache(maxsize=1_024)
def status_label(status: int) -> str:
    """Return a status that HTTP knows as it is, another one by its class: never more labels than those."""
    try:
        return str(HTTPStatus(status).value)
    except ValueError:
        return f"{status // 100}xx" if 100 <= status <= 599 else OTHER
