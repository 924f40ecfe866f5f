"""The words for Prometheus: its text format, or OpenMetrics where that is asked for."""

import math
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from foretell.metrics.families import ALL, Family
from foretell.metrics.instruments import BUCKETS_S
from foretell.metrics.predictions import IDLE_S
from foretell.metrics.snapshots import Merged, Series


def exposed(found: Merged, *, accept: str, now: float) -> tuple[bytes, str]:
    """Return the body and its content type. What was not used for an hour is left out; its counts are kept."""
    encode, content_type = choose_encoder(accept)
    return encode(_Found(found, now)), content_type


class _Found(Collector):
    def __init__(self, found: Merged, now: float) -> None:
        self._found, self._now = found, now

    def collect(self) -> Iterator[Metric]:
        for family in ALL:
            yield _metric(family, [one for one in self._found.get(family.name, {}).values() if self._is_shown(one)])

    def _is_shown(self, series: Series) -> bool:
        return not series.used_at or self._now - series.used_at < IDLE_S


def _metric(family: Family, found: Iterable[Series]) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for series in found:
            histogram.add_metric(series.labels, list(_cumulated(series.values[:-1])), series.values[-1])
        return histogram
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for series in found:
        metric.add_metric(series.labels, series.values[0])
    return metric


def _cumulated(counts: Iterable[float]) -> Iterator[tuple[str, float]]:
    total = 0.0
    for bound, count in zip((*BUCKETS_S, math.inf), counts, strict=True):
        total += count
        yield ("+Inf" if math.isinf(bound) else repr(bound)), total
