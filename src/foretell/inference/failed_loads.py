"""Loads that failed a moment ago: whoever asks again at once is told so, instead of trying it all once more."""

import traceback
from collections.abc import Callable, Hashable

HOLDS_S = 5.0
MAX_KEPT = 10_000


class FailedLoads:
    """Errors by what could not be loaded. Not safe to use from several threads without a lock around it."""

    def __init__(self, clock: Callable[[], float], *, holds_s: float = HOLDS_S) -> None:
        self._clock, self._holds_s = clock, holds_s
        self._kept: dict[Hashable, tuple[Exception, float]] = {}

    def remember(self, key: Hashable, error: BaseException) -> None:
        now = self._clock()
        self._kept = {known: kept for known, kept in self._kept.items() if kept[1] > now}
        if isinstance(error, Exception) and len(self._kept) < MAX_KEPT:
            _forget_locals(error)
            self._kept[key] = (error, now + self._holds_s)

    def raise_if_known(self, key: Hashable) -> None:
        found = self._kept.get(key)
        if found is not None and found[1] > self._clock():
            # Without its traceback: it would grow with each time that it is raised.
            raise found[0].with_traceback(None)

    def clear(self) -> None:
        self._kept = {}


def _forget_locals(error: BaseException | None) -> None:
    """Let go of what the frames hold, such as an artifact's bytes; where it happened stays readable."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__
