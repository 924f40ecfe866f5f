"""A limiter for one process: in tests, and as the plain reading of what the shared one does."""

import threading
import time
from collections.abc import Callable, Sequence

from foretell.limits import gcra
from foretell.limits.claims import Claim, Decision


class MemoryLimiter:
    def __init__(self, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._full_at: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def take(self, claims: Sequence[Claim], cost: int = 1) -> Decision | None:
        if not claims:
            return None
        with self._lock:
            full_at = [self._full_at.get(claim.bucket, 0) for claim in claims]
            decision, charged = gcra.decide(claims, full_at, self._clock(), cost)
            if charged is not None and cost:
                self._full_at.update(zip((claim.bucket for claim in claims), charged, strict=True))
            return decision

    def clear(self) -> None:
        with self._lock:
            self._full_at.clear()

    def give_back(self, claims: Sequence[Claim], cost: int = 1) -> None:
        with self._lock:
            for claim in claims:
                if claim.bucket in self._full_at:
                    self._full_at[claim.bucket] = gcra.given_back(claim, self._full_at[claim.bucket], cost)
