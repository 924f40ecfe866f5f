"""How often somebody may: exact limits, shared by all processes of a host, and by all hosts where there is Redis. No framework, no database.

A bucket follows GCRA (the generic cell rate algorithm): one number per bucket, the time at which it is full again.
"""

from foretell.limits.claims import Claim, Decision, Limiter, Policy, Throttled, claim_for
from foretell.limits.headers import POLICY_HEADER, STATE_HEADER, limit_header, policy_header
from foretell.limits.memory import MemoryLimiter
from foretell.limits.quotas import QuotaExceeded, Quotas
from foretell.limits.rates import InvalidRate, Rate
from foretell.limits.refused import refused
from foretell.limits.shared_memory import SharedMemoryLimiter

__all__ = [
    "POLICY_HEADER",
    "STATE_HEADER",
    "Claim",
    "Decision",
    "InvalidRate",
    "Limiter",
    "MemoryLimiter",
    "Policy",
    "QuotaExceeded",
    "Quotas",
    "Rate",
    "SharedMemoryLimiter",
    "Throttled",
    "claim_for",
    "limit_header",
    "policy_header",
    "refused",
]
