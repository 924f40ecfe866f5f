from collections.abc import Iterator
from pathlib import Path

import pytest

from foretell.client import Client
from tests.client.fake import ALICE, KEY, FakeServer, answer, version


@pytest.fixture
def server() -> FakeServer:
    """A server that takes every push of iris and has it ready at once."""
    fake = FakeServer()
    fake.on("GET", "/api/v1/me/", answer(200, ALICE))
    fake.on("POST", "/api/v1/models/iris/versions/", answer(201, version(state="quarantined")))
    fake.on("GET", "/api/v1/models/iris/versions/1/", answer(200, version()))
    return fake


@pytest.fixture
def client(server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with Client("http://test", KEY, transport=server.transport) as opened:
        yield opened
