"""What an answer cost: by the clock, or by the processor's, wherever the model runs."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from foretell.inference.answering import answer
from foretell.inference.batch import Batch, OutputValues, Predictions
from foretell.inference.codec import ParsedRows
from foretell.inference.logged import Asked, record_of
from foretell.inference.predicting import LoadedModel
from foretell.inference.runtimes import python
from foretell.inference.runtimes.python import PythonRuntime
from foretell.inference.wire import pack_predictions
from foretell.segments.records import PredictionRecord
from tests.models import sum_signature

ROW = Batch({"a": np.array([1.0]), "b": np.array([2.0])}, 1)


class Answering:
    """A runtime whose worker was busy for half a second."""

    name = "python"

    def run(self, batch: Batch) -> Predictions:
        return Predictions({"sum": OutputValues(np.array([3.0]))}, 1, worker_s=0.5)

    def close(self) -> None:
        pass


class Worker:
    """A locked worker, and its sandbox: opening takes it a minute, an answer two seconds."""

    is_alive = True

    def __init__(self) -> None:
        self.now = 0.0

    def open(self, *_: Any, **__: Any) -> "Worker":
        self.now += 60.0
        return self

    def call(self, *_: Any, **__: Any) -> dict[str, Any]:
        self.now += 2.0
        return {"answers": pack_predictions(Answering().run(ROW))}


def recorded(cpu_s: float | None) -> PredictionRecord:
    rows = ParsedRows(batch=ROW, warnings=(), is_single=True)
    prediction = answer(LoadedModel(sum_signature(), Answering()), lambda _: rows, model="sum", version=1)
    return record_of(
        prediction, Asked("rest"), tenant="t", user_id="u", key_id=None, request_id="r", policy="none", redacted=(), cpu_s=cpu_s
    )  # fmt: skip


def test_a_run_that_waits_for_nothing_counts_as_long_as_it_lasts() -> None:
    record = recorded(None)

    assert record.cpu_us == record.duration_us > 0


def test_a_run_among_others_counts_its_threads_time_and_its_workers() -> None:
    assert recorded(0.25).cpu_us == 750_000


def test_a_workers_time_is_that_of_the_answer_without_that_of_opening_it(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker()
    monkeypatch.setattr(python, "time", SimpleNamespace(perf_counter=lambda: worker.now, monotonic=lambda: worker.now))
    sandbox: Any = worker
    runtime = PythonRuntime(sandbox, [("model", b"")], sum_signature())

    assert [runtime.run(ROW).worker_s, runtime.run(ROW).worker_s] == [2.0, 2.0]
