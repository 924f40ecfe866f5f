"""Versions in memory: loaded once, whoever asks, and let go when others need the room."""

import threading
from collections.abc import Callable
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


def lent(models: LoadedModels, key: tuple[str, int, str], size_bytes: int, load: Callable[[], LoadedModel]) -> Any:
    """Borrow a model, and give it back at once."""
    with models.borrowed(key, size_bytes, load) as found:
        return found


def test_many_who_ask_at_once_wait_for_one_load() -> None:
    models, loads, gate = LoadedModels(), [], threading.Event()

    def load() -> Any:
        loads.append(1)
        gate.wait(5)
        return model()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(lent, models, key(1), 10, load) for _ in range(8)]
        gate.set()
        found = {id(future.result()) for future in asked}

    assert (len(loads), len(found)) == (1, 1)


def test_a_load_that_fails_tells_everybody_and_is_tried_again() -> None:
    models = LoadedModels()

    def broken() -> Any:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        lent(models, key(1), 10, broken)

    assert lent(models, key(1), 10, model) is not None


def test_the_least_recently_used_make_room_and_are_closed() -> None:
    models = LoadedModels(max_bytes=25)
    first: Any = lent(models, key(1), 10, model)
    second: Any = lent(models, key(2), 10, model)
    lent(models, key(1), 10, model)

    lent(models, key(3), 10, model)

    assert (first.runtime.is_closed, second.runtime.is_closed) == (False, True)
    assert lent(models, key(1), 10, model) is first


def test_a_model_is_not_closed_under_those_who_are_using_it_but_right_after_them() -> None:
    models = LoadedModels(max_models=1)

    with models.borrowed(key(1), 10, model) as first:
        with models.borrowed(key(1), 10, model) as again:
            lent(models, key(2), 10, model)
            assert again is first
        runtime: Any = first.runtime
        assert not runtime.is_closed
    assert runtime.is_closed
    assert lent(models, key(1), 10, model) is not first


def test_one_that_is_let_go_while_it_is_loading_is_closed_as_well() -> None:
    models, gate, loading = LoadedModels(), threading.Event(), threading.Event()

    def slowly() -> LoadedModel:
        loading.set()
        gate.wait(5)
        return LoadedModel(sum_signature(), FakeRuntime())

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lent, models, key(1), 10, slowly)
        loading.wait(5)
        models.clear()
        gate.set()
        assert asked.result().runtime.is_closed


def test_one_that_is_larger_than_all_the_room_is_served_all_the_same() -> None:
    models = LoadedModels(max_bytes=5)

    large: Any = lent(models, key(1), 10, model)

    assert large.runtime.is_closed is False
