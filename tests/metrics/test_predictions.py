"""What is counted of predictions: exactly, in a bounded number of series, and shown for as long as it is used."""

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from foretell.metrics import families
from foretell.metrics.exposition import exposed
from foretell.metrics.instruments import BUCKETS_S, Counter, Histogram, status_label
from foretell.metrics.predictions import IDLE_S, Entry, PredictionMetrics
from foretell.metrics.snapshots import Snapshot, merged


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


def text_of(metrics: PredictionMetrics, now: float) -> str:
    body, _ = exposed(merged([Snapshot(series=metrics.series())]), accept="", now=now)
    return body.decode()


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in parse(text) for sample in family.samples if sample.name == name
    }  # fmt: skip


def test_predictions_rows_and_times_are_counted() -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock)
    entry = metrics.entry("acme", "sum", 1)
    entry.observe("rest", 200, 0.0003, 5, 0.0001)
    entry.observe("oip", 200, 0.02, 1, 0.01)
    entry.observe("rest", 429, 0.0001)
    text = text_of(metrics, clock.now)

    assert sorted(samples(text, "foretell_predictions_total").values()) == [1, 1, 1]
    assert list(samples(text, "foretell_prediction_rows_total").values()) == [6]
    assert list(samples(text, "foretell_prediction_seconds_count").values()) == [3]
    assert list(samples(text, "foretell_model_seconds_count").values()) == [2]


def test_buckets_are_cumulated_as_prometheus_has_them() -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock)
    for seconds in (50e-6, 51e-6, 0.2, 60.0):
        metrics.entry("acme", "sum", 1).observe("rest", 200, seconds)
    by_bound = {
        float(sample.labels["le"]): sample.value
        for family in parse(text_of(metrics, clock.now)) for sample in family.samples
        if sample.name == "foretell_prediction_seconds_bucket"
    }  # fmt: skip

    assert by_bound[50e-6] == 1  # a bound belongs to its bucket
    assert by_bound[100e-6] == 2
    assert by_bound[0.25] == 3
    assert by_bound[10.0] == 3
    assert by_bound[float("inf")] == 4


def test_more_entries_than_there_is_room_for_are_counted_as_one_and_none_is_lost() -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock)
    for number in range(5_000):
        metrics.entry(f"tenant-{number % 7}", f"made-up-{number}", number).observe("rest", 200, 0.001, 1, 0.001)
    found = samples(text_of(metrics, clock.now), "foretell_predictions_total")

    assert len(metrics) == 2_000
    assert len(found) == 2_001
    assert sum(found.values()) == 5_000
    assert max(found.values()) == 3_000


def test_without_a_bound_every_name_would_be_a_series() -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock, max_entries=10**9)
    for number in range(5_000):
        metrics.entry("acme", f"made-up-{number}", 1).observe("rest", 200, 0.001)

    assert len(samples(text_of(metrics, clock.now), "foretell_predictions_total")) == 5_000


def test_faces_and_statuses_that_are_made_up_are_other() -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock)
    for number in range(1_000):
        metrics.entry("acme", "sum", 1).observe(f"face-{number}", 10_000 + number, 0.001)

    assert list(samples(text_of(metrics, clock.now), "foretell_predictions_total").values()) == [1_000]


def test_a_version_that_rests_for_an_hour_is_left_out_and_goes_on_from_where_it_was() -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock)
    metrics.entry("acme", "sum", 1).observe("rest", 200, 0.001)
    assert len(samples(text_of(metrics, clock.now), "foretell_predictions_total")) == 1

    clock.now += IDLE_S
    assert samples(text_of(metrics, clock.now), "foretell_predictions_total") == {}

    metrics.entry("acme", "sum", 1).observe("rest", 200, 0.001)
    assert list(samples(text_of(metrics, clock.now), "foretell_predictions_total").values()) == [2]


def test_entries_that_rest_make_room_and_their_counts_stay_in_the_sum() -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock, max_entries=3)
    for number in range(3):
        metrics.entry("acme", f"m{number}", 1).observe("rest", 200, 0.001)
    metrics.series()
    clock.now += IDLE_S
    metrics.entry("acme", "new", 1).observe("rest", 200, 0.001)
    found = samples(text_of(metrics, clock.now), "foretell_predictions_total")

    assert len(metrics) == 1
    assert sorted(found.values()) == [1, 3]


class NoTurn:
    """A lock that nobody ever holds: the control."""

    def acquire(self, *, blocking: bool = True) -> bool:
        return True

    def release(self) -> None:
        return

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return


def read_while_entries_are_evicted(metrics: PredictionMetrics, clock: Clock, patch: pytest.MonkeyPatch) -> float:
    """Return the sum of what a reader finds whom an eviction meets halfway; six predictions were counted."""
    for number in range(6):
        metrics.entry("acme", f"m{number}", 1).observe("rest", 200, 0.001)
    metrics.series()
    clock.now += IDLE_S
    look = Entry.look

    def look_and_be_met(entry: Entry, now: float) -> None:
        patch.setattr(Entry, "look", look)
        metrics.entry("acme", "new", 1)
        look(entry, now)

    patch.setattr(Entry, "look", look_and_be_met)
    return sum(one.values[0] for name, one in metrics.series() if name == families.PREDICTIONS.name)


def test_who_reads_while_entries_are_evicted_finds_each_prediction_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock, max_entries=3)

    assert read_while_entries_are_evicted(metrics, clock, monkeypatch) == 6
    metrics.entry("acme", "new", 1).observe("rest", 200, 0.001)
    assert len(metrics) == 1  # what had to wait for the reader is done by the next prediction
    assert sum(samples(text_of(metrics, clock.now), "foretell_predictions_total").values()) == 7


def test_without_turns_a_reader_would_find_some_of_them_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock, max_entries=3)
    monkeypatch.setattr(metrics, "_turn", NoTurn())

    assert read_while_entries_are_evicted(metrics, clock, monkeypatch) > 6


def test_a_tenant_that_is_gone_is_named_no_more_and_its_counts_stay_in_the_sum() -> None:
    clock = Clock()
    metrics = PredictionMetrics(clock=clock)
    for tenant in ("acme", "globex"):
        for version in (1, 2):
            metrics.entry(tenant, f"{tenant}-model", version).observe("rest", 200, 0.001, 1, 0.001)

    metrics.forget("acme")
    text = text_of(metrics, clock.now)

    assert "acme" not in text
    found = samples(text, "foretell_predictions_total")
    assert sorted(found.values()) == [1, 1, 2]


def test_a_counter_is_bounded_and_keeps_its_sum() -> None:
    counter = Counter(families.HTTP_REQUESTS, max_series=100)
    for number in range(3_000):
        counter.add(f"METHOD-{number}", "200")

    assert len(counter.series()) == 101
    assert sum(count for _, count in counter.series()) == 3_000


def test_statuses_are_those_of_http_or_their_class() -> None:
    assert [status_label(status) for status in (200, 418, 299, 599, 0, 1_000)] == [
        "200",
        "418",
        "2xx",
        "5xx",
        "other",
        "other",
    ]


def test_buckets_reach_from_50_microseconds_to_10_seconds() -> None:
    histogram = Histogram()
    for bound in BUCKETS_S:
        histogram.observe(bound)

    assert (BUCKETS_S[0], BUCKETS_S[-1]) == (50e-6, 10.0)
    assert histogram.counts == [*[1] * len(BUCKETS_S), 0]
