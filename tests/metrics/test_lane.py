"""What the lane tells the metrics, over the ports in memory: whoever makes up names makes no series."""

import asyncio
from collections import Counter as Tally
from typing import Any

import pytest

from foretell.asgi import Message
from foretell.metrics import families
from foretell.metrics.instruments import Counter
from foretell.metrics.predictions import PredictionMetrics
from foretell.serving.measuring import Measures
from tests.serving.world import World, open_world

Told = tuple[World, PredictionMetrics, Counter]


@pytest.fixture
def told() -> Told:
    predictions, requests = PredictionMetrics(), Counter(families.HTTP_REQUESTS)
    world = open_world(measures=Measures(predictions, requests))
    world.lift_limits()
    return world, predictions, requests


def counts(metrics: PredictionMetrics) -> dict[tuple[str, ...], float]:
    return {one.labels: one.values[0] for name, one in metrics.series() if name == families.PREDICTIONS.name}


def test_each_face_and_each_refusal_is_counted_where_it_belongs(told: Told) -> None:
    world, metrics, _ = told
    alice, bob, nobody = world.client(), world.client("bob"), world.client(None)
    path, row = "/api/v1/models/sum/predict/", {"a": 1, "b": 2}

    alice.post(path, json=row)
    alice.post("/v1/models/sum:predict", json={"instances": [row, row]})
    alice.post("/models/sum/invocations", json={"instances": [row]})
    alice.post("/api/v1/models/sum/versions/9/predict/", json=row)
    bob.post(path, json=row)
    nobody.post(path, json=row)
    world.client(tenant="nowhere").post(path, json=row)

    assert counts(metrics) == {
        ("acme", "sum", "1", "rest", "200"): 1,
        ("acme", "sum", "1", "kserve", "200"): 1,
        ("acme", "sum", "1", "mlflow", "200"): 1,
        ("acme", "sum", "", "rest", "404"): 1,
        ("acme", "sum", "", "rest", "403"): 1,
        ("acme", "", "", "rest", "401"): 1,
        ("", "", "", "rest", "404"): 1,
    }


def test_what_is_no_prediction_is_counted_as_a_request(told: Told) -> None:
    world, metrics, requests = told

    world.client().get("/v2/health/ready")
    world.client().post("/v2/repository/index", json={})

    assert counts(metrics) == {}
    assert sorted(labels for labels, _ in requests.series()) == [("GET", "200"), ("POST", "200")]


def test_thousands_of_names_and_methods_that_are_made_up_are_a_handful_of_series(told: Told) -> None:
    world, metrics, requests = told
    key = world.shown["alice"]

    async def ask_all() -> None:
        for number in range(2_000):
            await _ask(world, "POST", f"/api/v1/models/made-up-{number}/predict/", key)
            await _ask(world, "POST", f"/t/made-up-{number}/api/v1/models/sum/predict/", key)
            await _ask(world, "POST", f"/v2/models/sum/versions/{number + 7}/infer", key)
            await _ask(world, f"MADE-UP-{number}", "/v2/models/sum", key)

    asyncio.run(ask_all())
    by_labels, of_requests = counts(metrics), Tally(dict(requests.series()))

    assert len(metrics) == 3
    assert len(by_labels) == 3
    assert sum(by_labels.values()) == 6_000
    assert set(of_requests) == {("other", "405")}
    assert of_requests["other", "405"] == 2_000


async def _ask(world: World, method: str, path: str, key: str) -> None:
    headers = [
        (b"host", b"acme.localhost"), (b"content-type", b"application/json"), (b"authorization", b"Bearer " + key.encode()),
    ]  # fmt: skip
    scope: dict[str, Any] = {
        "type": "http", "method": method, "path": path, "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": b'{"a": 1, "b": 2}', "more_body": False}

    async def send(message: Message) -> None:
        return

    await world.lane(scope, receive, send)
