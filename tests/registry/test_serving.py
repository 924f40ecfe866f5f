"""Versions in memory: loaded once, whoever asks, and let go when others need the room."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from foretell.inference.batch import Batch, Predictions
from foretell.inference.predicting import LoadedModel
from foretell.registry.serving import LoadedModels
from tests.models import sum_signature


class FakeRuntime:
    name = "onnx"

    def __init__(self) -> None:
        self.is_closed = False

    def run(self, batch: Batch) -> Predictions:
        return Predictions({}, batch.n_rows)

    def close(self) -> None:
        self.is_closed = True


def model() -> Any:
    return LoadedModel(sum_signature(), FakeRuntime())


def key(number: int) -> tuple[str, int, str]:
    return ("acme", number, "seal")


def test_many_who_ask_at_once_wait_for_one_load() -> None:
    models, loads, gate = LoadedModels(), [], threading.Event()

    def load() -> Any:
        loads.append(1)
        gate.wait(5)
        return model()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(models.get, key(1), 10, load) for _ in range(8)]
        gate.set()
        found = {id(future.result()) for future in asked}

    assert (len(loads), len(found)) == (1, 1)


def test_a_load_that_fails_tells_everybody_and_is_tried_again() -> None:
    models = LoadedModels()

    def broken() -> Any:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        models.get(key(1), 10, broken)

    assert models.get(key(1), 10, model) is not None


def test_the_least_recently_used_make_room_and_are_closed() -> None:
    models = LoadedModels(max_bytes=25)
    first: Any = models.get(key(1), 10, model)
    second: Any = models.get(key(2), 10, model)
    models.get(key(1), 10, model)

    models.get(key(3), 10, model)

    assert (first.runtime.is_closed, second.runtime.is_closed) == (False, True)
    assert models.get(key(1), 10, model) is first


def test_one_that_is_larger_than_all_the_room_is_served_all_the_same() -> None:
    models = LoadedModels(max_bytes=5)

    large: Any = models.get(key(1), 10, model)

    assert large.runtime.is_closed is False
