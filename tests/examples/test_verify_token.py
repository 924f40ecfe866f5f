"""examples/verify_token: another service verifies a token, as a process of its own, with what a live server publishes."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tests.cast import PASSWORD, Cast, House

VERIFY = Path(__file__).parents[2] / "examples" / "verify_token" / "verify.py"


@pytest.fixture
def address(cast: Cast) -> Iterator[str]:
    """A server of this installation's, on a port of its own."""
    from foretell.config.asgi import without_lane

    server = uvicorn.Server(uvicorn.Config(without_lane, port=0, lifespan="off", log_config=None, loop="asyncio"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/t"
    server.should_exit = True
    thread.join(20)


def token_of(address: str, person: str, *, tenant: str = "acme") -> str:
    answer = httpx.post(f"{address}/{tenant}/api/token/", json={"username": person, "password": PASSWORD}, timeout=20)
    return str(answer.json()["access"])


def run(address: str, house: House, token: str, *, issuer: str = "http://localhost") -> Any:
    """Run the example as its README says; return the claims, or what it was refused for."""
    url = f"{address}/{house.tenant.name}/.well-known/jwks.json"
    done = subprocess.run(
        [sys.executable, str(VERIFY), url, issuer, str(house.tenant.id)], input=token, capture_output=True, text=True, timeout=60
    )  # fmt: skip
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_another_service_verifies_a_token_with_the_jwks_alone(cast: Cast, address: str) -> None:
    claims = run(address, cast.acme, token_of(address, "bob"))

    assert (claims["sub"], claims["role"], claims["scope"]) == (str(cast.acme.user("bob").pk), "viewer", "admin")


def test_it_refuses_what_is_not_for_it(cast: Cast, address: str) -> None:
    ours, theirs = token_of(address, "bob"), token_of(address, "carol", tenant="globex")
    changed = ours[:-10] + ("A" if ours[-10] != "A" else "B") + ours[-9:]

    assert run(address, cast.acme, theirs).startswith("refused: Unable to find a signing key")
    assert run(address, cast.acme, changed).startswith("refused: Signature verification failed")
    assert run(address, cast.acme, ours, issuer="https://elsewhere.example").startswith("refused: Invalid issuer")
    assert run(address, cast.acme, "nonsense").startswith("refused: ")
