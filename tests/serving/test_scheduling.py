"""Threads for what must not run on the event loop: bounded, and fair between tenants and models."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from foretell.serving.scheduling import MAX_WAITING_OF_TENANT, Overloaded, Scheduler


class Gate:
    """Work that ends when it is let go, and notes the order in which work began."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.begun: list[str] = []

    def work(self, name: str) -> Callable[[], str]:
        def run() -> str:
            self.begun.append(name)
            self.opened.wait(10)
            return name

        return run


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  what it waits for happens in threads
            await asyncio.sleep(0.001)


def run(scenario: Any) -> Any:
    return asyncio.run(scenario)


def test_work_runs_in_a_thread_and_its_answer_comes_back() -> None:
    async def scenario() -> None:
        thread = await Scheduler(threads=1).run(threading.current_thread, tenant="acme", model=1)
        assert thread is not threading.current_thread()

    run(scenario())


def test_what_work_raises_comes_back() -> None:
    async def scenario() -> None:
        with pytest.raises(ZeroDivisionError):
            await Scheduler(threads=1).run(lambda: 1 // 0, tenant="acme", model=1)

    run(scenario())


def test_one_model_never_holds_every_thread() -> None:
    async def scenario() -> None:
        scheduler, gate = Scheduler(threads=4), Gate()
        slow = [asyncio.create_task(scheduler.run(gate.work("slow"), tenant="acme", model=1)) for _ in range(8)]
        await until(lambda: len(gate.begun) == 2)

        assert await scheduler.run(lambda: "quick", tenant="acme", model=2) == "quick"

        gate.opened.set()
        assert await asyncio.gather(*slow) == ["slow"] * 8
        assert len(gate.begun) == 8

    run(scenario())


def test_tenants_take_turns_however_many_wait_of_one() -> None:
    async def scenario() -> None:
        scheduler, first, later = Scheduler(threads=1), Gate(), Gate()
        later.opened.set()
        blocking = asyncio.create_task(scheduler.run(first.work("first"), tenant="acme", model=0))
        await until(lambda: bool(first.begun))
        many = [asyncio.create_task(scheduler.run(later.work("acme"), tenant="acme", model=n)) for n in range(1, 11)]
        await asyncio.sleep(0)
        one = asyncio.create_task(scheduler.run(later.work("globex"), tenant="globex", model=99))
        await asyncio.sleep(0)

        first.opened.set()
        await asyncio.gather(blocking, *many, one)

        assert later.begun.index("globex") <= 1

    run(scenario())


def test_what_cannot_begin_soon_is_refused_at_once() -> None:
    async def scenario() -> None:
        scheduler, gate = Scheduler(threads=1), Gate()
        tasks = [
            asyncio.create_task(scheduler.run(gate.work("x"), tenant="acme", model=1))
            for _ in range(MAX_WAITING_OF_TENANT + 1)
        ]
        await until(lambda: len(gate.begun) == 1)
        await asyncio.sleep(0)

        with pytest.raises(Overloaded) as refused:
            await scheduler.run(gate.work("x"), tenant="acme", model=1)
        assert refused.value.details["retry_after_s"] == 1

        other = asyncio.create_task(scheduler.run(gate.work("globex"), tenant="globex", model=2))
        gate.opened.set()
        assert len(await asyncio.gather(*tasks)) == MAX_WAITING_OF_TENANT + 1
        assert await other == "globex"

    run(scenario())


def test_whose_turn_does_not_come_in_time_is_refused_and_passed_over() -> None:
    async def scenario() -> None:
        scheduler, gate = Scheduler(threads=1, deadline_s=0.05), Gate()
        blocking = asyncio.create_task(scheduler.run(gate.work("blocking"), tenant="acme", model=1))
        await until(lambda: bool(gate.begun))
        with pytest.raises(Overloaded):
            await scheduler.run(gate.work("late"), tenant="acme", model=2)
        with pytest.raises(Overloaded):
            await blocking

        gate.opened.set()
        assert await scheduler.run(lambda: "next", tenant="acme", model=2) == "next"

        assert gate.begun == ["blocking"]
        assert scheduler.n_waiting == 0

    run(scenario())
