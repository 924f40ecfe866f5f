from collections.abc import Iterator
from pathlib import Path

import pytest

from foretell.client import Client
from tests.client.fake import KEY, FakeServer


@pytest.fixture(autouse=True)
def nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FORETELL_URL", "FORETELL_API_KEY", "FORETELL_TENANT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that a client would have made; none of them is."""
    taken: list[float] = []
    monkeypatch.setattr("foretell.client._client.time.sleep", taken.append)
    return taken


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def client(server: FakeServer) -> Iterator[Client]:
    with Client("http://test", KEY, transport=server.transport) as opened:
        yield opened
