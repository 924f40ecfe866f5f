"""Versions in memory: loaded once, whoever asks, and let go when others need the room."""

import gc
import random
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from foretell.inference.batch import Batch, Predictions
from foretell.inference.failed_loads import HOLDS_S
from foretell.inference.loaded_models import LoadedModels, estimated_bytes
from foretell.inference.predicting import LoadedModel
from tests.models import sum_signature


class FakeRuntime:
    name = "onnx"

    def __init__(self) -> None:
        self.is_closed = False

    def run(self, batch: Batch) -> Predictions:
        return Predictions({}, batch.n_rows)

    def close(self) -> None:
        self.is_closed = True


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


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


def test_a_load_that_fails_is_not_tried_again_at_once_but_soon() -> None:
    clock, tried = Clock(), []
    models = LoadedModels(clock=clock)

    def broken() -> Any:
        tried.append(1)
        raise OSError("gone")

    for _ in range(3):
        with pytest.raises(OSError, match="gone"):
            lent(models, key(1), 10, broken)
    assert len(tried) == 1
    assert lent(models, key(2), 10, model) is not None

    clock.now += HOLDS_S

    assert lent(models, key(1), 10, model) is not None


def test_all_who_wait_for_a_load_that_fails_are_told_and_nothing_of_it_stays() -> None:
    models, gate, loading = LoadedModels(), threading.Event(), threading.Event()

    def broken() -> Any:
        loading.set()
        gate.wait(5)
        raise OSError("gone")

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(lent, models, key(1), 10, broken) for _ in range(4)]
        loading.wait(5)
        assert models.lend(key(1)) is None  # on its way is not there
        gate.set()
        errors = [future.exception() for future in asked]

    assert {type(error) for error in errors} == {OSError}
    assert len(models) == 0


def test_an_error_that_is_kept_does_not_keep_what_the_load_had_in_hand() -> None:
    class Artifact:
        pass

    models, kept = LoadedModels(), []

    def broken() -> Any:
        artifact = Artifact()
        kept.append(weakref.ref(artifact))
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        models.load(key(1), 10, broken)
    gc.collect()

    assert kept[0]() is None


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


def test_what_is_in_memory_is_lent_without_waiting_and_what_is_not_is_none() -> None:
    models = LoadedModels()
    assert models.lend(key(1)) is None
    assert models.get(key(1)) is None

    models.warm(key(1), 10, model)

    found = models.lend(key(1))
    assert found is not None
    assert found is models.get(key(1))
    models.give_back(key(1))


def test_what_was_lent_without_a_lock_is_closed_only_when_it_is_given_back() -> None:
    models = LoadedModels(max_models=1)
    models.warm(key(1), 10, model)
    found: Any = models.lend(key(1))

    models.warm(key(2), 10, model)
    assert not found.runtime.is_closed
    models.give_back(key(1))

    assert found.runtime.is_closed
    assert models.lend(key(1)) is None


def test_a_version_that_was_replaced_stays_for_a_quick_way_back_and_then_goes() -> None:
    clock = Clock()
    models = LoadedModels(clock=clock)
    models.warm(key(1), 10, model)
    replaced = models.get(key(1))
    runtime = cast("FakeRuntime", replaced and replaced.runtime)

    models.retire(key(1), after_s=600)
    clock.now += 599
    models.sweep()
    assert not runtime.is_closed
    assert models.lend(key(1)) is replaced
    models.give_back(key(1))
    clock.now += 599
    models.sweep()
    assert not runtime.is_closed  # it was used in between
    clock.now += 1
    models.sweep()

    assert runtime.is_closed
    assert models.get(key(1)) is None


def test_a_version_that_is_warmed_again_is_retired_no_more() -> None:
    clock = Clock()
    models = LoadedModels(clock=clock)
    models.warm(key(1), 10, model)
    models.retire(key(1), after_s=600)

    models.warm(key(1), 10, model)
    clock.now += 10_000
    models.sweep()

    assert models.get(key(1)) is not None


def test_nothing_is_used_after_it_was_closed_whatever_threads_do() -> None:
    """Eight threads lend, load, evict and retire at once; a model that is in use is never closed."""
    models, used_closed = LoadedModels(max_models=2), []

    def use(seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311  no secret
        for _ in range(400):
            wanted = key(rng.randrange(5))
            found: Any = models.lend(wanted) or models.load(wanted, 10, model)
            used_closed.append(found.runtime.is_closed)
            if rng.random() < 0.1:
                models.retire(wanted, after_s=0)
            if rng.random() < 0.1:
                models.sweep()
            used_closed.append(found.runtime.is_closed)
            models.give_back(wanted)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    models.sweep()

    assert len(used_closed) == 8 * 400 * 2
    assert not any(used_closed)
    assert len(models) <= 2


def test_a_worker_of_its_own_takes_more_than_a_graph() -> None:
    assert estimated_bytes("python", 10) > 100 * estimated_bytes("onnx", 10)
