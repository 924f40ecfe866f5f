"""The fast lane, from outside: streams, what is taken away, and predictions that go on while the database does not."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil  # type: ignore[import-untyped]
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from foretell.embedded.postgres import Postgres
from tests.acceptance.installation import Door, Installation, wait_until

pytestmark = pytest.mark.acceptance

ADDITION = "/api/v1/models/addition/predict/"
WITHIN_S = 1.0  # in which a change is known to every process


def stream_of(door: Door, path: str = "/ws/v1/models/addition/predict/") -> str:
    return door.url.replace("http://", "ws://") + path


def connections(door: Door) -> list[httpx.Client]:
    """Return enough connections that each web process has some."""
    return [httpx.Client(base_url=door.url, headers=door.headers, timeout=10) for _ in range(12)]


def test_a_stream_answers_in_the_order_of_its_messages(demo: Door) -> None:
    with connect(stream_of(demo), additional_headers=demo.headers) as stream:
        for a in range(50):
            stream.send(json.dumps({"a": a, "b": 0.5}))
        answers = [json.loads(stream.recv(timeout=10))["prediction"] for _ in range(50)]

    assert answers == [a + 0.5 for a in range(50)]


def test_a_stranger_is_given_no_stream(demo: Door) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(stream_of(demo), additional_headers={"X-API-Key": "ft_none"}):
        pass
    assert refused.value.response.status_code == 401

    with connect(stream_of(demo)) as stream:
        stream.send(json.dumps({"a": 1, "b": 1}))
        assert json.loads(stream.recv(timeout=10))["status"] == 401
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_a_revoked_key_is_refused_everywhere_within_a_second(installation: Installation, demo: Door) -> None:
    made = installation.run(
        "key", "create", "--tenant", "demo", "--user", demo.username, "--scope", "predict", "--json"
    ).json
    door = Door(demo.url, demo.tenant, demo.username, "", made["api_key"])
    with connections_of(door) as clients:
        assert all(client.post(ADDITION, json={"a": 1, "b": 2}).status_code == 200 for client in clients)

        installation.run("key", "revoke", made["id"], "--tenant", "demo")

        time.sleep(WITHIN_S)
        assert [client.post(ADDITION, json={"a": 1, "b": 2}).status_code for client in clients] == [401] * len(clients)


def test_a_prediction_is_in_the_log_within_seconds(demo: Door) -> None:
    answer = httpx.post(demo.url + ADDITION, json={"a": 20, "b": 22}, headers=demo.headers).json()

    def is_logged() -> bool:
        found = httpx.get(f"{demo.url}/api/v1/predictions/{answer['id']}/", headers=demo.headers)
        return found.status_code == 200 and found.json()["inputs"] == [{"a": 20.0, "b": 22.0}]

    wait_until(is_logged, within_s=10, or_say=lambda: str(answer))


def test_predictions_go_on_while_the_database_is_away_and_none_is_lost(installation: Installation, demo: Door) -> None:
    with connections_of(demo) as clients, database_stopped(installation):
        answers = [client.post(ADDITION, json={"a": 1, "b": n}) for n in range(5) for client in clients]
        assert [answer.status_code for answer in answers] == [200] * len(answers)
        ids = {answer.json()["id"] for answer in answers}

    def are_logged() -> bool:
        found = httpx.get(f"{demo.url}/api/v1/predictions/?page_size=100", headers=demo.headers, timeout=30)
        return found.status_code == 200 and ids <= {row["id"] for row in found.json()["results"]}

    wait_until(are_logged, within_s=30, or_say=installation.last_lines)


@contextmanager
def connections_of(door: Door) -> Iterator[list[httpx.Client]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(client) for client in connections(door)]


@contextmanager
def database_stopped(installation: Installation) -> Iterator[None]:
    """Stop every process of the database where it stands: it answers nobody, and nobody is told."""
    postmaster = Postgres(installation.home / "postgres" / "data").pid
    assert postmaster is not None
    family = [psutil.Process(postmaster), *psutil.Process(postmaster).children(recursive=True)]
    _signal(family, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(family, signal.SIGCONT)


def _signal(family: list[psutil.Process], number: signal.Signals) -> None:
    for process in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
