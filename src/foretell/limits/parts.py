"""One limit over several hosts, in parts that never add up to more than the whole.

Of the burst each host has a tenth of its even share for itself, and may hold as much on lease; the rest is the pool. Of the rate the hosts
together have a tenth for themselves, and the pool has nine. A limit that is too small to be shared so is all in the pool.
"""

from dataclasses import dataclass
from hashlib import blake2b

from foretell.limits.claims import Claim

TENTH = 10
US = 1_000


@dataclass(frozen=True, slots=True)
class Parts:
    """How one bucket is shared.

    own : what this host takes from without asking anybody; None where there is too little.
    lease : most that this host may hold on lease.
    rest : what this host takes from while the pool is away: its even share of the pool.
    """

    own: Claim | None
    lease: int
    pool_burst: int
    pool_interval_us: int
    rest: Claim


def parts_of(claim: Claim, *, hosts: int) -> Parts:
    burst = claim.policy.rate.burst
    share = burst // (TENTH * hosts)
    pool_burst = burst - 2 * share * hosts
    pool_interval_ns = -(-claim.interval_ns * TENTH // (TENTH - 1)) if share else claim.interval_ns
    own = _part(claim, b"own", claim.interval_ns * TENTH * hosts, share) if share else None
    # At least one: nobody shall be shut out of a small limit because the pool is away. On average it is still the share.
    rest = _part(claim, b"rest", pool_interval_ns * hosts, max(1, pool_burst // hosts))
    return Parts(own, share, pool_burst, -(-pool_interval_ns // US), rest)


def _part(claim: Claim, name: bytes, interval_ns: int, burst: int) -> Claim:
    bucket = blake2b(claim.bucket + name, digest_size=16).digest()
    return Claim(bucket, claim.policy, interval_ns, interval_ns * burst)
