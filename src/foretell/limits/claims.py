"""What is asked of a limiter, and what it answers."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import ceil
from typing import Protocol

import msgspec

from foretell.errors import ForetellError
from foretell.limits.rates import Rate
from foretell.limits.refused import refused

NAME = struct.Struct("@qq")


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit by name: `key`, `user`, `tenant`, or a named scope's."""

    name: str
    rate: Rate


@dataclass(slots=True)
class Place:
    """Where a table in memory had a bucket last; whoever follows it looks whether it still has.

    low, high : the bucket's name, as two numbers.
    """

    low: int
    high: int
    word: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """One bucket that a request takes from.

    interval_ns, tolerance_ns : what the arithmetic needs of the rate; of the policy's, unless the bucket is a part of a larger one.
    """

    bucket: bytes
    policy: Policy
    interval_ns: int = field(default=0, repr=False, compare=False)
    tolerance_ns: int = field(default=0, repr=False, compare=False)
    place: Place = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", Place(*NAME.unpack(self.bucket)))
        if not self.interval_ns:
            object.__setattr__(self, "interval_ns", self.policy.rate.interval_ns)
            object.__setattr__(self, "tolerance_ns", self.policy.rate.tolerance_ns)


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What a limiter said; of several policies, of the one that binds: that has least left, or that refused.

    reset_s : until the bucket is full again.
    retry_after_s : until this would be allowed; 0 where it was.
    """

    allowed: bool
    policy: Policy
    remaining: int
    reset_s: float
    retry_after_s: float = 0.0


class Limiter(Protocol):
    def take(self, claims: Sequence[Claim], cost: int = 1) -> Decision | None:
        """Charge every claim, or none of them where one refuses; return None where there are no claims.

        A cost of 0 asks without taking. A cost above a burst passes where the bucket is full, and is paid for by a longer wait.
        """
        ...

    def clear(self) -> None:
        """Forget what was taken: every bucket is full again."""
        ...

    def give_back(self, claims: Sequence[Claim], cost: int = 1) -> None:
        """Undo what `take` charged."""
        ...


class Throttled(ForetellError):
    """A limit refused. Who makes one counts it: whichever face the caller came by, it is raised once for each refusal."""

    code = "throttled"

    def __init__(self, decision: Decision, message: str = "") -> None:
        wait_s = max(1, ceil(decision.retry_after_s))
        rate = decision.policy.rate
        super().__init__(
            message or f"The limit {decision.policy.name!r} is {rate.words}, and it is spent. Try again in {wait_s} s.",
            retry_after_s=wait_s, policy=decision.policy.name,
        )  # fmt: skip
        self.decision = decision
        refused.note(decision.policy.name)


def claim_for(tenant_id: str, kind: str, id: str, policy: Policy) -> Claim:
    """Return the claim on one bucket of one tenant.

    The rate is part of what names the bucket: one that is changed holds from then on, whatever was owed under the old one.
    """
    parts = "\0".join((str(len(tenant_id)), tenant_id, str(len(kind)), kind, str(policy.rate), id))
    return Claim(blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).digest(), policy)
