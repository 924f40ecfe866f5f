"""Claims and clocks for the tests of limits."""

from dataclasses import dataclass

from foretell.limits import Claim, Policy, Rate, claim_for

SECOND = 1_000_000_000


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: int = 1_000_000 * SECOND

    def __call__(self) -> int:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)


def claim(rate: str, *, kind: str = "key", id: str = "x", tenant: str = "acme") -> Claim:
    return claim_for(tenant, kind, id, Policy(kind, Rate.parse(rate)))
