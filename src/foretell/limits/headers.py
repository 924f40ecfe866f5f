"""What a caller is told of its limits, as draft-ietf-httpapi-ratelimit-headers has it."""

from collections.abc import Iterable
from math import ceil

from foretell.limits.claims import Claim, Decision

POLICY_HEADER = "RateLimit-Policy"
STATE_HEADER = "RateLimit"


def policy_header(claims: Iterable[Claim]) -> bytes:
    """Return every policy that holds: `"key";q=100;w=60, "tenant";q=1000;w=60`. The same for the same claims: keep it."""
    policies = [claim.policy for claim in claims]
    return ", ".join(
        f'"{policy.name}";q={policy.rate.count};w={max(1, ceil(policy.rate.period_s))}' for policy in policies
    ).encode()


def limit_header(decision: Decision) -> bytes:
    """Return how things stand with the policy that binds: what is left, and in how many seconds it is whole again."""
    return b'"%s";r=%d;t=%d' % (decision.policy.name.encode(), decision.remaining, ceil(decision.reset_s))
