"""Gateways of a test's own, and a database that goes away."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from foretell.gateway.lane import Gateway
from foretell.inference.loaded_models import LoadedModels
from foretell.serving.catalogue import Tenant
from tests.cast import Cast, House

Until = Callable[[Callable[[], object]], None]
Away = Callable[[], AbstractContextManager[None]]
Begin = Callable[..., Gateway]


@pytest.fixture
def begin(cast: Cast, home: object) -> Iterator[Begin]:
    """Begin gateways that follow the database, each as in a process of its own, until the test is over."""
    gateways: list[Gateway] = []

    def begin(*, hears: bool = True) -> Gateway:
        gateways.append(Gateway(loaded=LoadedModels(), hears=hears))
        gateways[-1].begin()
        return gateways[-1]

    yield begin
    for gateway in gateways:
        gateway.end()


@pytest.fixture
def gateway(cast: Cast, home: object) -> Iterator[Gateway]:
    """A gateway that has read everything, and reads again when it is told to."""
    gateway = Gateway(loaded=LoadedModels())
    gateway.refresh()
    yield gateway
    gateway.end()


@pytest.fixture
def home(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> object:
    """Where the catalogue is kept: a place of this test's own; the artifacts stay where they are."""
    monkeypatch.setattr("foretell.gateway.lane.catalogue_directory", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def until() -> Until:
    """Wait until something holds; what takes as long as this is broken, not slow."""

    def wait(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, "it did not come to hold"
            time.sleep(0.02)

    return wait


@pytest.fixture
def away(cast: Cast) -> Away:
    """Let the database be away, for whoever connects anew."""
    from django.db import connections

    @contextmanager
    def away() -> Iterator[None]:
        connection = connections["default"]
        settings = connection.settings_dict
        host, options = settings["HOST"], settings["OPTIONS"]
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has a pool
        settings["HOST"] = "/nowhere"
        settings["OPTIONS"] = {**options, "pool": {**options["pool"], "timeout": 0.1}}
        try:
            yield
        finally:
            connection.close()
            connection.close_pool()  # type: ignore[attr-defined]  # as above
            settings["HOST"], settings["OPTIONS"] = host, options

    return away


def entry(gateway: Gateway, house: House) -> Tenant:
    """Return what the lane knows of a tenant."""
    found = gateway.catalogue.named(house.tenant.name)
    assert found is not None
    return found
