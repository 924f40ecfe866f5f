"""Requests that wait until the database was looked at once more: what they ask for may have been made a moment ago.

A change is in memory some hundredths of a second after it is committed. Whoever made it, and uses it at once, would be told that it is not there.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_S = 1.0
MOST = 64  # Security: whoever asks for what is not there fills no memory, and holds nobody up; beyond, nobody waits


@dataclass(frozen=True, slots=True)
class _Wait:
    schema_name: str
    loop: asyncio.AbstractEventLoop
    is_over: "asyncio.Future[None]"

    def end(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        if not self.is_over.done():
            self.is_over.set_result(None)


class Looks:
    """Between the requests' event loop and the thread that follows the database.

    Parameters
    ----------
    call
        Wakes that thread.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._waits: list[_Wait] = []
        self._is_open = False

    async def wait(self, schema_name: str) -> None:
        """Return when a look that began from now on is over; at once where nobody looks, or too many wait."""
        loop = asyncio.get_running_loop()
        wait = _Wait(schema_name, loop, loop.create_future())
        with self._lock:
            if not self._is_open or len(self._waits) >= MOST:
                return
            self._waits.append(wait)
        self._call()
        try:
            await asyncio.wait([wait.is_over], timeout=LONGEST_S)
        finally:
            self._drop(wait)

    # --- for the thread that looks ---

    def begin(self) -> list[_Wait]:
        """Return those for whom the look that now begins is the one."""
        with self._lock:
            self._is_open = True
            return list(self._waits)

    def end(self, waits: list[_Wait], *, is_loading: Callable[[str], bool]) -> None:
        """Let go those whose tenant is shown as it is known; the others go on waiting, since a version of theirs is being loaded."""
        for wait in waits:
            if not is_loading(wait.schema_name):
                wait.end()

    def close(self) -> None:
        """Let all go, and nobody wait: the database is away."""
        with self._lock:
            self._is_open, waits = False, list(self._waits)
        for wait in waits:
            wait.end()

    def _drop(self, wait: _Wait) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._waits.remove(wait)
