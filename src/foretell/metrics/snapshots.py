"""What one process has counted, as it is written down; and how that of several becomes one."""

from collections.abc import Iterable

import msgspec

from foretell.metrics.families import BY_NAME
from foretell.metrics.instruments import BUCKETS_S, OTHER

FORMAT = 1
WIDTHS = {"counter": 1, "gauge": 1, "histogram": len(BUCKETS_S) + 2}


class Series(msgspec.Struct, array_like=True):
    """Values of one set of labels: one number, or a histogram's buckets and its sum.

    used_at : when it last changed, in seconds since 1970; 0: it is shown always.
    """

    labels: tuple[str, ...]
    values: list[float]
    used_at: float = 0.0


class Snapshot(msgspec.Struct):
    """What is known of one process, or of several together: series by the names of their families.

    folded : processes that are part of this, and whose own files may still be there.
    """

    series: list[tuple[str, Series]] = []
    folded: list[str] = []
    format: int = FORMAT


Merged = dict[str, dict[tuple[str, ...], Series]]


def merged(snapshots: Iterable[Snapshot]) -> Merged:
    """Add counters and histograms up; gauges are summed too, or the largest holds, as their family says."""
    result: Merged = {}
    for snapshot in snapshots:
        for name, series in snapshot.series if snapshot.format == FORMAT else ():
            family = BY_NAME.get(name)
            if family is None or len(series.values) != WIDTHS[family.kind] or len(series.labels) != len(family.labels):
                continue  # another release wrote it
            _add(result.setdefault(name, {}), series, takes_largest=family.kind == "gauge" and family.merge == "max")
    return result


def with_gauges_of(fresh: Snapshot, counted: Snapshot) -> Snapshot:
    """Return the gauges of one, and what was counted of another."""
    gauges = [(name, series) for name, series in fresh.series if BY_NAME[name].kind == "gauge"]
    return Snapshot(series=[*gauges, *((name, one) for name, one in counted.series if BY_NAME[name].kind != "gauge")])


def lasting(found: Merged, *, max_series: int) -> list[tuple[str, Series]]:
    """Return what outlives its process: no gauges; and of each family the series that were used last, the rest as one."""
    return [
        (name, series)
        for name, by_labels in found.items() if BY_NAME[name].kind != "gauge"
        for series in _bounded(list(by_labels.values()), max_series)
    ]  # fmt: skip


def without_tenant(found: Merged, tenant: str) -> Merged:
    """Return the same sums, with nothing that names a tenant: what it counted is counted with the rest."""
    result: Merged = {}
    for name, by_labels in found.items():
        has_tenant = BY_NAME[name].labels[:1] == ("tenant",)
        for labels, series in by_labels.items():
            is_its = has_tenant and labels[0] == tenant
            kept = Series(rest_labels(labels), series.values, series.used_at) if is_its else series
            _add(result.setdefault(name, {}), kept)
    return result


def _add(into: dict[tuple[str, ...], Series], series: Series, *, takes_largest: bool = False) -> None:
    known = into.get(series.labels)
    if known is None:
        into[series.labels] = Series(series.labels, list(series.values), series.used_at)
        return
    pairs = zip(known.values, series.values, strict=True)
    known.values = [max(a, b) if takes_largest else a + b for a, b in pairs]
    known.used_at = max(known.used_at, series.used_at)


def _bounded(found: list[Series], max_series: int) -> Iterable[Series]:
    if len(found) <= max_series:
        return found
    found.sort(key=lambda series: series.used_at, reverse=True)
    kept = {series.labels: series for series in found[:max_series]}
    for series in found[max_series:]:
        _add(kept, Series(rest_labels(series.labels), series.values, series.used_at))
    return kept.values()


def rest_labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels of all versions that are not told apart: no tenant, and the model ``other``."""
    return ("", OTHER, "", *labels[3:]) if len(labels) >= 3 else (OTHER,) * len(labels)
