"""The real application on a port of this machine, in a thread of this process, on the cast's own database."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tests.cast import House
from tests.http import refreshed

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / ".venv" / "clients"


@dataclass
class Served:
    """Where acme is, and who lives there."""

    url: str
    house: House

    def key(self, person: str) -> str:
        return self.house.people[person].key

    def document(self, person: str | None) -> dict[str, Any]:
        """Return the OpenAPI document as somebody reads it; nobody is refused it, and reads Bob's."""
        headers = {"X-API-Key": self.key(person or "bob")}
        answer = httpx.get(f"{self.url}/api/v1/schema/", params={"format": "json"}, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text[:500]
        document: dict[str, Any] = answer.json()
        return {name: part for name, part in document.items() if name != "servers"}


@contextmanager
def served() -> Iterator[int]:
    """Serve for the length of the block; what changes meanwhile is known on the fast lane within half a second."""
    from foretell.config.asgi import application

    refreshed()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", lifespan="off"))
    threads = [
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True),
        threading.Thread(target=_follow, args=(server,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        for thread in threads:
            thread.join(20)


def _follow(server: uvicorn.Server) -> None:
    while not server.should_exit:
        time.sleep(0.5)
        refreshed()


def environment(name: str, mark: str = "installed.txt") -> Path:
    place = ENVIRONMENTS / name
    if not (place / mark).exists():
        pytest.skip(f"{name} is not installed here: tools/test-clients installs it, and says what it needs")
    return place
