"""An application that says it may is begun without a task, and has one from its first wait on."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from foretell.asgi import Receive, Scope, Send
from foretell.webserver.eager import InATask, begin
from tests.webserver.servers import GOOD, answer, served, wait_until

_who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


class Eager:
    """An application of one function, that is begun at once."""

    is_eager = True

    def __init__(self, work: Callable[[], Coroutine[Any, Any, bytes]]) -> None:
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        await receive()
        await answer(send, await self._work())


async def _task_of_mine() -> bytes:
    return b"a task" if asyncio.current_task() else b"none"


async def _task_after_a_wait() -> bytes:
    await asyncio.sleep(0.001)
    async with asyncio.timeout(5):
        return await _task_of_mine()


async def _who_am_i() -> bytes:
    before = _who.get()
    _who.set("somebody")
    return before.encode()


async def _broken() -> bytes:
    raise LookupError("of the application's own")


@pytest.mark.parametrize(("work", "found"), [(_task_of_mine, b"none"), (_task_after_a_wait, b"a task")])
def test_a_task_is_made_where_something_is_waited_for(
    work: Callable[[], Coroutine[Any, Any, bytes]], found: bytes
) -> None:
    with served(Eager(work)) as server:
        wire = server.wire(GOOD)
        assert wire.answer().body == found
        wire.send(GOOD)
        assert wire.answer().body == found


def test_an_application_that_needs_a_task_can_ask_for_one() -> None:
    class Inner:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await Eager(_task_of_mine)(scope, receive, send)

    app = InATask(Inner())
    app.is_eager = True  # type: ignore[attr-defined]
    with served(app) as server:
        assert server.ask().body == b"a task"


def test_a_context_variable_is_the_request_s_own() -> None:
    with served(Eager(_who_am_i)) as server:
        wire = server.wire(GOOD)
        assert wire.answer().body == b"nobody"
        wire.send(GOOD)
        assert wire.answer().body == b"nobody"


def test_one_that_fails_is_answered_500_and_the_next_as_ever() -> None:
    with served(Eager(_broken)) as server:
        assert server.ask().problem["code"] == "error"
        assert server.ask().problem["code"] == "error"


def test_one_that_waits_is_counted_as_under_way_and_can_be_stopped() -> None:
    stopped: list[bool] = []

    async def wait_for_ever() -> bytes:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(True)
            raise
        return b""

    with served(Eager(wait_for_ever), finish_s=0.1) as server:
        wire = server.wire(GOOD)
        wait_until(lambda: server.load.requests == 1)
        server.begin_to_stop()

        assert wire.answer().problem["code"] == "unavailable"
    assert stopped == [True]


def test_what_a_coroutine_waited_for_comes_back_to_it_value_or_error() -> None:
    async def waits(future: "asyncio.Future[int]") -> None:
        try:
            found.append(await future)
        except LookupError as err:
            found.append(err)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for outcome in (3, LookupError()):
            future: asyncio.Future[int] = loop.create_future()
            task = begin(loop, waits(future))
            assert task is not None
            future.set_exception(outcome) if isinstance(outcome, LookupError) else future.set_result(outcome)
            await task

    found: list[Any] = []
    asyncio.run(run())

    assert found[0] == 3
    assert isinstance(found[1], LookupError)
