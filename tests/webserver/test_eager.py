"""An application that says it may is begun without a task, and has one from its first wait on."""

import asyncio
import contextvars
import time
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


class Listener:
    """Reads the body, and waits for what comes after it, as Django does, while it answers."""

    def __init__(self, *, is_eager: bool) -> None:
        self.is_eager, self.after_body = is_eager, "nothing"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        while (await receive())["more_body"]:
            pass
        listening = asyncio.create_task(self._listen(receive))
        await asyncio.sleep(0.02)
        found = self.after_body
        await answer(send, found.encode())
        await listening

    async def _listen(self, receive: Receive) -> None:
        self.after_body = str((await receive())["type"])


@pytest.mark.parametrize("is_eager", [True, False])
@pytest.mark.parametrize("n_parts", [1, 2, 3])
def test_nothing_comes_behind_a_body_but_the_end_however_the_body_came(n_parts: int, is_eager: bool) -> None:
    app = Listener(is_eager=is_eager)
    with served(app) as server:
        wire = server.wire(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (n_parts - 1))
        for _ in range(n_parts - 1):
            time.sleep(0.02)
            wire.send(b"x")

        assert wire.answer().body == b"nothing"
        wait_until(lambda: app.after_body == "http.disconnect")


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


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_cancellation_reaches_what_waits_even_before_its_task_has_had_a_turn(turns: int) -> None:
    """Else what it holds, such as a model that was lent to it, would never be given back."""

    async def waits(future: "asyncio.Future[None]") -> None:
        try:
            await future
        except asyncio.CancelledError:
            ended.append("cancelled")
            await asyncio.sleep(0)  # as an answer to who is cut off may have to wait
            ended.append("answered")
            raise

    async def run() -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        task = begin(loop, waits(future))
        assert task is not None
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        return future

    ended: list[str] = []
    asyncio.run(run())

    assert ended == ["cancelled", "answered"]


def test_what_is_left_of_a_coroutine_is_one_to_asyncio_on_every_python() -> None:
    """From Python 3.12 on, a generator is none, whatever it is decorated with."""

    async def waits() -> None:
        await asyncio.sleep(0)

    async def run() -> Any:
        task = begin(asyncio.get_running_loop(), waits())
        assert task is not None
        await task
        return task.get_coro()

    assert isinstance(asyncio.run(run()), Coroutine)


@pytest.mark.parametrize("is_eager", [True, False])
def test_one_whose_client_left_is_told_even_where_the_client_has_asked_for_more(is_eager: bool) -> None:
    """Else an export goes on to its end, for nobody."""
    ended: list[str] = []

    class Patient(Listener):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await super().__call__(scope, receive, send)
                return
            await receive()
            ended.append(str((await receive())["type"]))

    with served(Patient(is_eager=is_eager)) as server:
        wire = server.wire(GOOD + GOOD)
        wait_until(lambda: server.load.requests == 1)
        wire.close()
        wait_until(lambda: server.load.requests == 0)

        assert ended == ["http.disconnect"]
