"""Whatever a client sends to whichever route: 200 or a 4xx in that protocol's own shape, and the next good request is answered."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.serving.bad_payloads import Payload, payloads
from tests.serving.world import World, open_world

PAYLOADS = payloads()
ROUTES = [
    "/api/v1/models/sum/predict/",
    "/api/v1/models/sum@champion/predict",
    "/api/v1/models/sum/versions/1/predict/",
    "/t/acme/api/v1/models/sum/predict/",
    "/v2/models/sum/infer",
    "/v2/models/sum/versions/1/infer",
    "/t/acme/v2/models/sum/infer",
    "/v1/models/sum:predict",
    "/models/sum/invocations",
    "/models/sum@champion/invocations",
    "/models/sum/versions/1/invocations",
]
GOOD_ROW = {"a": 1, "b": 2}


def test_there_are_enough_of_them() -> None:
    names = Counter(payload.name for payload in PAYLOADS)

    assert len(names) >= 300
    assert max(names.values()) == 1


@pytest.mark.parametrize("route", ROUTES)
def test_bad_payloads_are_refused_and_harm_nobody(route: str) -> None:
    world = open_world()
    world.lift_limits()

    wrong = asyncio.run(sent(world, route))

    assert wrong == []
    assert world.client().post("/api/v1/models/sum/predict/", json=GOOD_ROW).json()["prediction"] == 3.0
    assert set(world.models.lent.values()) == {0}


async def sent(world: World, route: str) -> list[str]:
    """Send all of them, and return those that were answered as they must not be."""
    transport = httpx.ASGITransport(app=world.lane, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {world.shown['alice']}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://acme.localhost", headers=headers) as client:
        return [fault for payload in PAYLOADS if (fault := await fault_of(client, route, payload))]


async def fault_of(client: httpx.AsyncClient, route: str, payload: Payload) -> str | None:
    answer = await client.post(route, content=payload.body, headers=payload.headers)
    if answer.status_code in (200, 299):  # 299: handed on, see world.django
        return None
    if not 400 <= answer.status_code < 500:
        return f"{payload.name}: {answer.status_code} {answer.text[:200]}"
    return None if is_in_shape(route, answer) else f"{payload.name}: shape {answer.text[:200]}"


def is_in_shape(route: str, answer: httpx.Response) -> bool:
    if answer.headers["content-type"] == "text/plain":  # MLflow's own words for a content type that it does not take
        return "invocations" in route and answer.status_code == 415
    if "invocations" in route and answer.status_code == 415:
        return answer.headers["content-type"] == "text/plain"
    body = answer.json()
    if "/api/v1/" in route:
        return answer.headers["content-type"] == "application/problem+json" and body["status"] == answer.status_code
    if "invocations" in route:
        return isinstance(body["error_code"], str) and isinstance(body["message"], str)
    return isinstance(body["error"], str)
