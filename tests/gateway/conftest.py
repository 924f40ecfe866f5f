"""A gateway of this test's own, and one that follows the database while the test runs."""

import time
from collections.abc import Callable, Iterator

import pytest

from foretell.gateway.lane import Gateway
from foretell.inference.loaded_models import LoadedModels
from tests.cast import Cast

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def gateway(cast: Cast) -> Iterator[Gateway]:
    """A gateway that has read everything, and reads again when it is told to."""
    gateway = Gateway(loaded=LoadedModels())
    gateway.refresh()
    yield gateway
    gateway.end()


@pytest.fixture
def following(cast: Cast) -> Iterator[Gateway]:
    """A gateway that follows the database."""
    gateway = Gateway(loaded=LoadedModels())
    gateway.begin()
    yield gateway
    gateway.end()


@pytest.fixture
def until() -> Until:
    """Wait until something holds; what takes as long as this is broken, not slow."""

    def wait(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, "it did not come to hold"
            time.sleep(0.02)

    return wait
