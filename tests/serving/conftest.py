import pytest

from tests.serving.world import World, open_world


@pytest.fixture
def world() -> World:
    return open_world()
