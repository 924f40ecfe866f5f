"""How often each limit and quota refused, in this process: for whoever measures."""

import threading
from collections import Counter


class Refused:
    """Refusals by the name of the policy: of the installation's own policies and scopes, never what a caller wrote."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = (
            threading.Lock()
        )  # the event loop and Django's threads refuse; nobody who is let through comes here

    def note(self, policy: str) -> None:
        with self._lock:
            self._counts[policy] += 1

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)


refused = Refused()
