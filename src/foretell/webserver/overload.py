"""How busy this process is: for whoever sheds load, for `/metrics`, and for the readiness probe.

It is measured in passing, ten times a second; reading it costs an attribute.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sized
from dataclasses import dataclass, field

PULSE_S = 0.1


@dataclass(slots=True)
class Load:
    """What this process carries just now.

    lag_s : by how much the event loop was late at the last look; more than 0.05 s is overload.
    worst_lag_s : the most since the last `take_worst_lag_s`.
    now : the time of the last look, on the monotonic clock. Optimization: deadlines of seconds need no finer one.
    is_leaving : a stop was announced; the readiness probe says so.
    refused : how often the protocol itself answered, by the code of the problem.
    """

    lag_s: float = 0.0
    worst_lag_s: float = 0.0
    now: float = field(default_factory=time.monotonic)
    is_leaving: bool = False
    refused: Counter[str] = field(default_factory=Counter)
    tasks: Sized = ()
    open_connections: Sized = ()

    @property
    def requests(self) -> int:
        """Requests under way, and open WebSockets."""
        return len(self.tasks)

    @property
    def connections(self) -> int:
        return len(self.open_connections)

    def take_worst_lag_s(self) -> float:
        """Return the worst lag, and begin to look for the next: what is scraped every 15 s still shows a stall."""
        worst, self.worst_lag_s = self.worst_lag_s, self.lag_s
        return worst

    async def beat(self, look: Callable[[float], None]) -> None:
        """Measure until cancelled; `look` is called with the time, each time."""
        while True:
            expected = time.monotonic() + PULSE_S
            await asyncio.sleep(PULSE_S)
            self.now = time.monotonic()
            self.lag_s = max(0.0, self.now - expected)
            self.worst_lag_s = max(self.worst_lag_s, self.lag_s)
            look(self.now)


load = Load()  # of this process
