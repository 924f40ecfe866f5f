"""Refusals that come late to whoever goes on asking: a loop of them costs the server, and so everybody else, as much as one of answers."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

TOLD_AT_ONCE = 50  # of one tenant's refusals, a second and process
DELAY_S = 0.1
# Security: late refusals are requests under way, of which a process takes so many; beyond these they are told at once.
MOST_WAITING = 64


class Pacing:
    """Counts each tenant's refusals of this second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._refusals: Counter[str] = Counter()
        self.n_waiting = 0

    async def wait(self, tenant: str) -> float:
        """Let a refusal of a tenant's wait, where it is one of many; return for how many seconds."""
        if not self._is_one_of_many(tenant) or self.n_waiting >= MOST_WAITING:
            return 0.0
        self.n_waiting += 1
        try:
            await asyncio.sleep(DELAY_S)
        finally:
            self.n_waiting -= 1
        return DELAY_S

    def _is_one_of_many(self, tenant: str) -> bool:
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._refusals.clear()
        self._refusals[tenant] += 1
        return self._refusals[tenant] > TOLD_AT_ONCE
