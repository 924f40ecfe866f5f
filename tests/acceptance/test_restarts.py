"""Web processes come and go under load, and nobody who was let in loses a request. `benchmarks/restarts.py` asks for longer."""

import asyncio
import json
import random
import signal
from collections.abc import Callable

import pytest

from benchmarks.http_load import Outcome, load, request
from tests.acceptance.installation import RECOVERY_S, Door, Installation, wait_until

pytestmark = pytest.mark.acceptance

VIRGINICA = {"sepal length (cm)": 7.9, "sepal width (cm)": 2.9, "petal length (cm)": 6.3, "petal width (cm)": 1.8}
LIVEZ = request("/livez", host="localhost")


def prediction(door: Door) -> bytes:
    headers = door.headers | {"Content-Type": "application/json"}
    return request(
        "/api/v1/models/iris/predict/", host="localhost", body=json.dumps(VIRGINICA).encode(), headers=headers
    )


async def under_load(port: int, message: bytes, act: Callable[[], None]) -> Outcome:
    """Ask, eagerly and now and then, until `act` is done in its thread."""
    outcome, done = Outcome(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            load(port, message, connections=4, is_over=done.is_set, outcome=outcome, think_s=lambda: 0.02)
        )
        sleepy = load(
            port,
            LIVEZ,
            connections=40,
            is_over=done.is_set,
            outcome=outcome,
            think_s=lambda: random.uniform(0, 2),  # noqa: S311  no secret
        )
        group.create_task(sleepy)
        while len(outcome.latencies_s) < 50:  # noqa: ASYNC110  until most of them are in
            await asyncio.sleep(0.05)
        try:
            await asyncio.to_thread(act)
        finally:
            done.set()
    return outcome


def test_sighup_replaces_the_web_processes_and_nobody_notices(installation: Installation, demo: Door) -> None:
    before = set(installation.pids("web"))

    def renew() -> None:
        assert installation.process is not None
        installation.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: len(installation.pids("web")) == 2 and not before & set(installation.pids("web")),
            within_s=2 * RECOVERY_S,
            or_say=installation.last_lines,
        )

    outcome = asyncio.run(under_load(installation.port, prediction(demo), renew))

    assert (dict(outcome.failed), outcome.refused) == ({}, 0)
    assert set(outcome.answered) == {200}


def test_sigterm_answers_everybody_who_was_let_in(installation: Installation, demo: Door) -> None:
    codes: list[int] = []

    outcome = asyncio.run(
        under_load(installation.port, prediction(demo), lambda: codes.append(installation.stop(signal.SIGTERM)))
    )
    installation.start()

    assert (dict(outcome.failed), codes) == ({}, [0])
    assert set(outcome.answered) == {200}
