"""Whoever goes on asking beyond a limit hears of its refusals late, and holds up nobody by it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from foretell.serving import pacing
from foretell.serving.pacing import MOST_WAITING, TOLD_AT_ONCE, Pacing
from tests.serving.world import World, limited

PREDICT, ROW = "/api/v1/models/sum/predict/", {"a": 1, "b": 2}
FOREVER_S = 3_600.0
TURNS = 500  # of the event loop, in which all that need not wait is done


@asynccontextmanager
async def client(world: World, person: str = "alice", tenant: str = "acme") -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(world.lane),
        base_url=f"http://{tenant}.localhost",
        headers={"Authorization": f"Bearer {world.shown[person]}"},
    ) as asking:
        yield asking


def spend(world: World) -> None:
    """Let Alice's limit be used up."""
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    claims = (limited("acme", "alice", "1/d"),)
    keys = {
        id: replace(key, principal=replace(key.principal, claims=claims)) if key.principal.username == "alice" else key
        for id, key in tenant.keys.items()
    }
    world.change("acme", keys=keys)
    with world.client() as asking:
        assert asking.post(PREDICT, json=ROW).status_code == 200


@asynccontextmanager
async def flooding(world: World, n: int) -> AsyncIterator[Sequence[int]]:
    """Let Alice ask so often at once; give the answers that came soon."""
    async with client(world) as asking:
        asked = [asyncio.ensure_future(asking.post(PREDICT, json=ROW)) for _ in range(n)]
        for _ in range(TURNS):
            await asyncio.sleep(0)
        yield [answer.result().status_code for answer in asked if answer.done()]
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


def test_refusals_are_late_and_only_so_many_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    spend(world)
    monkeypatch.setattr(pacing, "TOLD_AT_ONCE", 0)
    monkeypatch.setattr(pacing, "DELAY_S", FOREVER_S)

    async def seen() -> None:
        async with flooding(world, MOST_WAITING + 7) as soon:
            assert soon == [429] * 7

    asyncio.run(seen())


def test_nobody_else_waits_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    spend(world)
    monkeypatch.setattr(pacing, "TOLD_AT_ONCE", 0)
    monkeypatch.setattr(pacing, "DELAY_S", FOREVER_S)

    async def seen() -> None:
        async with flooding(world, 10) as soon, client(world, "carol", "globex") as other:
            assert soon == []
            assert (await other.post(PREDICT, json=ROW)).status_code == 200

    asyncio.run(seen())


def test_a_late_refusal_is_the_same_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    spend(world)

    async def seen() -> None:
        async with client(world) as asking:
            at_once = await asking.post(PREDICT, json=ROW)
            monkeypatch.setattr(pacing, "TOLD_AT_ONCE", 0)
            late = await asking.post(PREDICT, json=ROW)

        assert (at_once.status_code, late.status_code) == (429, 429)
        assert at_once.json() | {"request_id": ""} == late.json() | {"request_id": ""}
        assert late.headers["Retry-After"]

    asyncio.run(seen())


def test_the_first_refusals_of_each_second_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def seen() -> None:
        monkeypatch.setattr(pacing, "DELAY_S", FOREVER_S)
        now = [10.0]
        paced = Pacing(lambda: now[0])
        for _ in range(TOLD_AT_ONCE):
            await paced.wait("acme")

        late = asyncio.ensure_future(paced.wait("acme"))
        await asyncio.sleep(0)
        assert paced.n_waiting == 1
        await paced.wait("globex")  # each tenant's are its own
        now[0] = 11.0
        await paced.wait("acme")

        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
        assert paced.n_waiting == 0

    asyncio.run(seen())
