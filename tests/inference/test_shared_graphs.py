"""The same graph under the same signature is one session, and each version's hold on it is its own."""

import gc
import os
import weakref
from dataclasses import replace

import numpy as np
import pytest

from foretell.inference.batch import Batch
from foretell.inference.errors import RunFailed
from foretell.inference.predicting import LoadedModel, predict
from foretell.inference.shared_graphs import SharedGraphs
from tests.models import sum_graph, sum_signature


def row() -> Batch:
    return Batch({"a": np.array([1.0]), "b": np.array([2.0])}, 1)


def answer(model: LoadedModel) -> float:
    return float(predict(model, row()).outputs["sum"].values[0])


def test_the_same_content_is_opened_once() -> None:
    graphs = SharedGraphs()

    one, other = (graphs.open(sum_graph(), sum_signature()) for _ in range(2))

    assert one.signature is other.signature
    assert answer(one) == 3.0
    assert answer(other) == 3.0


def test_one_that_is_closed_answers_no_more_and_the_others_do() -> None:
    graphs = SharedGraphs()
    one, other = (graphs.open(sum_graph(), sum_signature()) for _ in range(2))

    one.close()
    one.close()

    with pytest.raises(RunFailed, match="closed"):
        predict(one, row())
    assert answer(other) == 3.0


def test_the_last_one_to_close_takes_the_graph_out_of_memory() -> None:
    graphs = SharedGraphs()
    one, other = (graphs.open(sum_graph(), sum_signature()) for _ in range(2))
    signature = weakref.ref(one.signature)

    one.close()
    del one
    gc.collect()
    assert signature() is other.signature
    other.close()
    del other
    gc.collect()

    assert signature() is None


def test_the_same_graph_under_another_signature_is_another() -> None:
    graphs, signature = SharedGraphs(), sum_signature()
    wider = replace(signature, inputs=tuple(replace(source, range=(0.0, 99.0)) for source in signature.inputs))

    one, other = graphs.open(sum_graph(), signature), graphs.open(sum_graph(), wider)

    assert one.signature != other.signature


def test_sessions_start_no_threads_of_their_own() -> None:
    before = len(os.listdir("/proc/self/task"))

    models = [
        SharedGraphs().open(sum_graph(), sum_signature()) for _ in range(5)
    ]  # fmt: skip

    assert [answer(model) for model in models] == [3.0] * 5
    assert len(os.listdir("/proc/self/task")) == before
