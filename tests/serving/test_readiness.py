"""A model is ready where it answers: what cannot be loaded is not, whatever its row says."""

from dataclasses import replace

import pytest

from tests.serving.world import World, sum_version

READY = ("/v2/models/sum/ready", "/v1/models/sum", "/models/sum/ping", "/models/sum/health")


@pytest.mark.parametrize("path", READY)
def test_a_version_that_cannot_be_loaded_is_not_ready(world: World, path: str) -> None:
    assert world.client().get(path).status_code == 200
    tenant = world.catalogue.named("acme")
    assert tenant is not None

    broken = sum_version(number=1, pk=99)  # is ready by its row, and there is nothing to load
    world.change("acme", models={"sum": replace(tenant.models["sum"], versions={1: broken})})

    assert world.client().get(path).status_code == 404  # as a prediction is answered
    assert world.client().post("/v1/models/sum:predict", json={"instances": [[1, 2]]}).status_code == 404


@pytest.mark.parametrize("path", READY)
def test_who_asks_whether_it_is_ready_gives_back_what_was_lent(world: World, path: str) -> None:
    world.client().get(path)

    assert not +world.models.lent
