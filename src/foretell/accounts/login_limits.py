"""Failed sign-ins are limited before a password is hashed: per account, per address, per tenant, and over all.

Each attempt is charged before its password is looked at, and given back where it was right: so that a burst of attempts at the same
moment costs as many hashes as the limit allows, and not one more. Nobody is locked out for good, and an unknown name is counted as a
known one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings

from foretell.accounts.folding import folded
from foretell.accounts.limiting import limiter
from foretell.addresses import trusted_address
from foretell.limits import Claim, Policy, Rate, Throttled, claim_for

ACCOUNT = Policy("sign-ins of an account", Rate.parse("5/min burst 10"))
ADDRESS = Policy("sign-ins from an address", Rate.parse("20/min burst 40"))
TENANT = Policy("sign-ins of a tenant", Rate.parse("120/min burst 200"))
OVERALL = Policy("sign-ins", Rate.parse("300/min burst 500"))


@dataclass(slots=True)
class Attempt:
    """An attempt to sign in that was let through to the hash."""

    claims: Sequence[Claim]
    has_failed: bool = False

    def failed(self) -> None:
        """Keep what the attempt was charged."""
        self.has_failed = True


@contextmanager
def attempt(*, tenant_id: str, account: str, client: str) -> Iterator[Attempt]:
    """Let an attempt through, or refuse it; for the length of the block it counts as failed.

    After the block it is given back, unless it was said to have `failed`.

    Raises
    ------
    Throttled
        with the same words whether there is such an account or not.
    """
    one = check(tenant_id=tenant_id, account=account, client=client)
    try:
        yield one
    finally:
        if not one.has_failed:
            limiter().give_back(one.claims)


def check(*, tenant_id: str, account: str, client: str) -> Attempt:
    """Charge an attempt; whoever calls this gives it back where it was right. `attempt` does both.

    Raises
    ------
    Throttled
    """
    claims = claims_on(tenant_id=tenant_id, account=account, client=client)
    decision = limiter().take(claims)
    if decision is not None and not decision.allowed:
        wait_s = max(1, -int(-decision.retry_after_s // 1))
        raise Throttled(decision, f"Too many sign-ins have failed. Try again in {wait_s} s.")
    return Attempt(claims)


def claims_on(*, tenant_id: str, account: str, client: str) -> tuple[Claim, ...]:
    claims = (
        claim_for(tenant_id, "sign-in account", folded(account), ACCOUNT),
        claim_for(tenant_id, "sign-in", "", TENANT),
        claim_for("", "sign-in", "", OVERALL),
    )
    if not client:  # as over a Unix socket: not all of its clients are one
        return claims
    return (*claims, claim_for("", "sign-in address", network_of(client), ADDRESS))


def client_of(request: Any) -> str:
    """Return the address that a request of Django's comes from; "" where there is no request."""
    if request is None:
        return ""
    peer, forwarded_for = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    return trusted_address(peer, forwarded_for, proxies=settings.TRUSTED_PROXIES)


def network_of(client: str) -> str:
    """Return what an address counts as: itself, or its /64 where it is of IPv6, which is what one customer is given."""
    try:
        address = ip_address(client.strip().strip("[]").partition("%")[0])
    except ValueError:
        return client[:100]
    if address.version == 6:
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((address, 64), strict=False))
    return str(address)
