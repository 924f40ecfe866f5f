"""What is allowed: so many in such a time, as a person writes it."""

import re
from dataclasses import dataclass, field

from foretell.errors import ForetellError

NS = 1_000_000_000
UNITS = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3_600, "hour": 3_600, "d": 86_400, "day": 86_400,
}  # fmt: skip
MAX_COUNT = 1_000_000_000
MAX_PERIOD_S = 31 * 86_400.0
MAX_TOLERANCE_NS = 100 * 365 * 86_400 * NS  # a time to come has to fit into 64 bits, in nanoseconds
EXPECTED = 'such as "10/min", "100/s", "60000/h", "5/10s" or "10/min burst 20"'
WRITTEN = re.compile(r"([0-9]+) ?/ ?([0-9]+)? ?([a-z]+)(?: burst ([0-9]+))?")


class InvalidRate(ForetellError):
    """A rate that cannot be read, or could not be kept."""

    code = "invalid_rate"
    kind = "invalid"

    def __init__(self, found: str, why: str = "") -> None:
        super().__init__(f"{found[:80]!r} is no rate{why}; expected one {EXPECTED}.")


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` in `period_s` seconds on average, and at most `burst` at once.

    Times are kept in whole nanoseconds, so that no rounding lets one too many through, or one too few.
    """

    count: int
    period_s: float
    burst: int
    interval_ns: int = field(init=False, repr=False, compare=False)  #: after how long one more is allowed
    tolerance_ns: int = field(init=False, repr=False, compare=False)  #: how long an empty bucket takes to be full

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_COUNT or not 1 <= self.burst <= MAX_COUNT:
            raise InvalidRate(str(self), f": a rate and its burst are from 1 to {MAX_COUNT:,}")
        if not 0 < self.period_s <= MAX_PERIOD_S:
            raise InvalidRate(str(self), ": its time is longer than nothing and at most 31 days")
        interval_ns = -(-round(self.period_s * NS) // self.count)  # rounded up: never more than was said
        if interval_ns * self.burst > MAX_TOLERANCE_NS:
            raise InvalidRate(str(self), ": its burst would take more than a hundred years to come again")
        object.__setattr__(self, "interval_ns", interval_ns)
        object.__setattr__(self, "tolerance_ns", interval_ns * self.burst)

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read a rate.

        Raises
        ------
        InvalidRate
            names what was found, and what is expected.
        """
        found = WRITTEN.fullmatch(" ".join(text.lower().split()))
        if found is None:
            raise InvalidRate(text)
        count, times, unit, burst = found.groups()
        seconds = UNITS.get(unit) or UNITS.get(unit.removesuffix("s"))
        if seconds is None:
            raise InvalidRate(text, f": {unit!r} is no unit of time (s, min, h, d)")
        if max(len(count), len(times or ""), len(burst or "")) > 10:
            raise InvalidRate(text, f": a rate and its burst are from 1 to {MAX_COUNT:,}")
        return cls(int(count), float(int(times or 1) * seconds), int(burst or count))

    def __str__(self) -> str:
        burst = "" if self.burst == self.count else f" burst {self.burst}"
        return f"{self.count}/{_period_text(self.period_s)}{burst}"

    @property
    def words(self) -> str:
        """How a refusal says it: `2 in a minute`."""
        named = {1.0: "a second", 60.0: "a minute", 3_600.0: "an hour", 86_400.0: "a day"}
        return f"{self.count:,} in {named.get(self.period_s) or f'{self.period_s:g} seconds'}"


def _period_text(period_s: float) -> str:
    named = {1.0: "s", 60.0: "min", 3_600.0: "h", 86_400.0: "d"}
    return named.get(period_s) or f"{period_s:g}s"
