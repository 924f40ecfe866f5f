"""Coroutines that begin at once: most requests of a prompt application wait for nothing, and so need no task.

A task costs its own making, a turn of the event loop, and callbacks at its end. What Python 3.12 calls eager tasks does the same
for every coroutine; here one that never waits makes no task at all.
"""

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import copy_context
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
    return loop.create_task(_Rest(coroutine, first_wait), context=context)


class InATask:
    """Hands on to an application that needs a task of its own, whoever began the coroutine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if asyncio.current_task() is None:
            await asyncio.sleep(0)
        await self._app(scope, receive, send)


class _Rest(Coroutine[Any, Any, None]):
    """What is left of a coroutine at its first wait.

    Race condition: a task may be cancelled before its first turn; a generator would not have begun then, and the coroutine never hear
    of it. And what is only a generator is no coroutine to asyncio, from Python 3.12 on.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None], first_wait: Any) -> None:
        self._coroutine, self._first_wait = coroutine, first_wait
        self._is_begun = False

    def send(self, value: Any) -> Any:
        """Hand what came of a wait to the coroutine, and its next wait to the task; the first one is known already."""
        if self._is_begun:
            return self._coroutine.send(value)
        self._is_begun = True
        wait, self._first_wait = self._first_wait, None
        return wait

    def throw(self, *error: Any) -> Any:
        self._is_begun, self._first_wait = True, None
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._coroutine.__await__()
