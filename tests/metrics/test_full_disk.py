"""Where nothing can be written, predictions may be refused; whoever looks why still finds out, and no counter goes back."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from foretell.metrics import families
from foretell.metrics.process import ProcessMetrics
from foretell.metrics.process_files import TOTALS

Fill = Callable[[], None]


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Let the disk be full from then on: a write gets as far as its first bytes."""
    write = Path.write_bytes

    def write_some(path: Path, data: bytes) -> int:
        write(path, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    return lambda: monkeypatch.setattr(Path, "write_bytes", write_some)


def sample(metrics: ProcessMetrics, name: str) -> float:
    body, _ = metrics.exposition()
    return sum(one.value for family in parse(body.decode()) for one in family.samples if one.name == name)


def predict(metrics: ProcessMetrics, times: int) -> None:
    for _ in range(times):
        metrics.predictions.entry("acme", "sum", 1).observe("rest", 200, 0.001)


def test_a_process_starts_and_stops_on_a_full_disk(tmp_path: Path, fill: Fill) -> None:
    fill()
    metrics = ProcessMetrics(tmp_path)
    metrics.add(families.LOG_TROUBLE, lambda: 1)

    with metrics.running():
        shown = sample(metrics, "foretell_log_trouble")

    assert shown == 1


def test_gauges_are_of_now_and_counters_agree_whoever_is_asked(tmp_path: Path, fill: Fill) -> None:
    trouble = [0]
    one, other = ProcessMetrics(tmp_path), ProcessMetrics(tmp_path)
    one.add(families.LOG_TROUBLE, lambda: trouble[0])
    predict(one, 3)
    one.publish()
    fill()
    trouble[0] = 1
    predict(one, 2)

    assert sample(one, "foretell_log_trouble") == 1
    assert [sample(each, "foretell_predictions_total") for each in (one, other, one)] == [3, 3, 3]


def test_what_could_not_be_written_is_there_once_there_is_room(tmp_path: Path) -> None:
    metrics = ProcessMetrics(tmp_path)
    with pytest.MonkeyPatch.context() as full:
        full.setattr(Path, "write_bytes", _no_room)
        predict(metrics, 2)
        metrics.exposition()

    assert sample(metrics, "foretell_predictions_total") == 2
    metrics.stop()


def test_the_dead_are_counted_once_though_they_cannot_be_folded_yet(tmp_path: Path) -> None:
    dead, living = ProcessMetrics(tmp_path), ProcessMetrics(tmp_path)
    predict(dead, 4)
    dead.stop()
    with pytest.MonkeyPatch.context() as full:
        full.setattr(Path, "write_bytes", _no_room)
        meanwhile = [sample(living, "foretell_predictions_total") for _ in range(2)]

    assert meanwhile == [4, 4]
    assert [sample(living, "foretell_predictions_total") for _ in range(2)] == [4, 4]
    living.stop()


def test_half_a_file_is_not_left_on_a_disk_that_is_full(tmp_path: Path, fill: Fill) -> None:
    metrics = ProcessMetrics(tmp_path)
    fill()
    metrics.exposition()
    metrics.stop()

    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".") or path.name == TOTALS] == []


def _no_room(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")
