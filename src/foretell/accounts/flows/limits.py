"""How often somebody may sign up, ask for a mail and try a code. Exact, of all processes, and taken before any work is done."""

from uuid import UUID

from foretell.accounts.folding import folded
from foretell.accounts.limiting import limiter
from foretell.accounts.login_limits import network_of
from foretell.core.tenancy import current_tenant
from foretell.limits import Claim, Policy, Rate, Throttled, claim_for

SIGN_UPS_OF_ADDRESS = Policy("sign-ups from an address", Rate.parse("20/min burst 60"))
SIGN_UPS_OF_TENANT = Policy("sign-ups of a tenant", Rate.parse("60/min burst 120"))
SIGN_UPS = Policy("sign-ups", Rate.parse("120/min burst 300"))
RESETS_OF_ADDRESS = Policy("password resets from an address", Rate.parse("20/min burst 40"))
RESETS_OF_TENANT = Policy("password resets of a tenant", Rate.parse("60/min burst 120"))
MAILS = Policy("mails to somebody", Rate.parse("12/h burst 6"))
CODES = Policy("codes of somebody", Rate.parse("30/h burst 15"))
ADDRESSES = Policy("addresses asked for by somebody", Rate.parse("5/h"))


def take_sign_up(*, client: str) -> None:
    """Charge a sign-up, before its password is hashed.

    Raises
    ------
    Throttled
    """
    overall = claim_for("", "sign-up", "", SIGN_UPS)
    claims = (
        _of_tenant("sign-up", "", SIGN_UPS_OF_TENANT),
        overall,
        *_of_client("sign-up", client, SIGN_UPS_OF_ADDRESS),
    )
    _take(claims, "Too many sign-ups")


def take_reset(*, email: str, client: str) -> None:
    """Charge a request for a password reset: alike whether there is such an account or not.

    Raises
    ------
    Throttled
    """
    claims = (_of_tenant("reset", "", RESETS_OF_TENANT), *_of_client("reset", client, RESETS_OF_ADDRESS))
    _take((*claims, _of_tenant("mail", folded(email), MAILS)), "Too many requests for a new password")


def take_mail(*, email: str) -> None:
    """Charge a mail that a stranger can cause.

    Raises
    ------
    Throttled
    """
    _take((_of_tenant("mail", folded(email), MAILS),), "Too many mails")


def take_code(*, email: str) -> None:
    """Charge a code that is tried; of one address, whatever session and however many codes there are.

    Raises
    ------
    Throttled
    """
    _take((_of_tenant("code", folded(email), CODES),), "Too many codes")


def take_address(*, user_id: UUID) -> None:
    """Charge somebody for another address that they ask for, whosever it is: a mail goes there.

    Raises
    ------
    Throttled
    """
    _take((_of_tenant("address", str(user_id), ADDRESSES),), "Too many new addresses")


def _take(claims: tuple[Claim, ...], what: str) -> None:
    decision = limiter().take(claims)
    if decision is not None and not decision.allowed:
        wait_s = max(1, -int(-decision.retry_after_s // 1))
        raise Throttled(decision, f"{what}. Try again in {wait_s} s.")


def _of_tenant(kind: str, key: str, policy: Policy) -> Claim:
    return claim_for(str(current_tenant().id), kind, key, policy)


def _of_client(kind: str, client: str, policy: Policy) -> tuple[Claim, ...]:
    """Return nothing over a Unix socket: not all of its clients are one."""
    return (claim_for("", f"{kind} address", network_of(client), policy),) if client else ()
