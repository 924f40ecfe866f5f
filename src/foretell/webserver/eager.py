"""Coroutines that begin at once: most requests of a prompt application wait for nothing, and so need no task.

A task costs its own making, a turn of the event loop, and callbacks at its end. What Python 3.12 calls eager tasks does the same
for every coroutine; here one that never waits makes no task at all.
"""

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import copy_context
from types import coroutine as awaitable_generator
from typing import Any

from foretell.asgi import ASGIApp, Receive, Scope, Send


def begin(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None] | None":
    """Run a coroutine up to its first wait; return the task that does the rest, or None where all of it is done.

    Until that wait there is no current task, for whoever asks for one (`InATask`).
    """
    context = copy_context()
    try:
        first_wait = context.run(coroutine.send, None)
    except StopIteration:
        return None
    return loop.create_task(_rest_of(coroutine, first_wait), context=context)


class InATask:
    """Hands on to an application that needs a task of its own, whoever began the coroutine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if asyncio.current_task() is None:
            await asyncio.sleep(0)
        await self._app(scope, receive, send)


@awaitable_generator
def _rest_of(coroutine: Coroutine[Any, Any, None], wait: Any) -> Generator[Any, Any, None]:
    """Hand on what the coroutine waits for to the task, and what comes of it to the coroutine."""
    try:
        while True:
            try:
                result = None if wait is None else (yield wait)
            except BaseException as err:  # noqa: BLE001  a cancellation, or a future's own error: the coroutine's to handle
                wait = coroutine.throw(err)
            else:
                wait = coroutine.send(result)
    except StopIteration:
        return
