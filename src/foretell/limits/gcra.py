"""The generic cell rate algorithm (ITU-T I.371), in whole nanoseconds: a bucket is the time at which it is full again.

A bucket that is full already says a time in the past, as does one that was never used: so none has to be made before its use,
nor be removed after it.
"""

from collections.abc import Sequence

from foretell.limits.claims import Claim, Decision
from foretell.limits.rates import NS


def decide(
    claims: Sequence[Claim], full_at: Sequence[int], now_ns: int, cost: int
) -> tuple[Decision, list[int] | None]:
    """Return the decision, and each bucket's new time, or None where nothing is charged.

    Parameters
    ----------
    full_at
        For each claim when its bucket is full again; a time in the past is as good as now.
    """
    charged, least, binding, binding_full_at = [], -1, claims[0], 0
    for claim, at in zip(claims, full_at, strict=True):
        if at < now_ns:
            at = now_ns
        interval_ns = claim.interval_ns
        new = at + cost * interval_ns
        room_ns = claim.tolerance_ns + now_ns - new
        if room_ns < 0 and at != now_ns:  # from a full bucket, a cost above the burst is let through
            return refusal(claims, full_at, now_ns, cost), None
        remaining = room_ns // interval_ns if room_ns > 0 else 0
        if least < 0 or remaining < least:
            least, binding, binding_full_at = remaining, claim, new
        charged.append(new)
    return Decision(True, binding.policy, least, (binding_full_at - now_ns) / NS), charged


def refusal(claims: Sequence[Claim], full_at: Sequence[int], now_ns: int, cost: int) -> Decision:
    """Return the decision of the claim that refuses for longest."""
    waits_ns = [_wait_ns(claim, at, now_ns, cost) for claim, at in zip(claims, full_at, strict=True)]
    longest = max(range(len(claims)), key=waits_ns.__getitem__)
    claim, at = claims[longest], max(full_at[longest], now_ns)
    remaining = max(0, (claim.tolerance_ns - (at - now_ns)) // claim.interval_ns)
    return Decision(False, claim.policy, remaining, (at - now_ns) / NS, waits_ns[longest] / NS)


def given_back(claim: Claim, full_at: int, cost: int) -> int:
    return full_at - cost * claim.interval_ns


def _wait_ns(claim: Claim, full_at: int, now_ns: int, cost: int) -> int:
    needed_ns = min(cost * claim.interval_ns, claim.tolerance_ns)
    return max(0, max(full_at, now_ns) + needed_ns - claim.tolerance_ns - now_ns)
