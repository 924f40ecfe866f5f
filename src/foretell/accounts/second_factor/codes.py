"""Checks a code: of the authenticator app, or one of the recovery codes. Each opens once.

Security: allauth keeps what was used, and counts guesses, in a cache: for each process alone, and until it restarts. Here the last step
that was used stands in the row, and guesses are counted where those of passwords are, over all processes and hosts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.db import transaction

from foretell.accounts.limiting import limiter
from foretell.accounts.login_limits import Attempt
from foretell.accounts.models import User
from foretell.core.tenancy import current_tenant
from foretell.limits import Policy, Rate, Throttled, claim_for

#: Of three codes of a million that are right at a time, somebody who has the password finds one in half a year.
GUESSES = Policy("codes of an account", Rate.parse("1/min burst 5"))
TYPED = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)


def verify_code(*, user: User, code: str) -> Authenticator | None:
    """Use a code; return what it is of, None where it is wrong or was used before.

    Raises
    ------
    Throttled
        after too many that were wrong, before this one is looked at.
    """
    with guess(user) as one:
        found = _used(user, code)
        if found is None:
            one.failed()
    return found


@contextmanager
def guess(user: User) -> Iterator[Attempt]:
    """Let a guess through, or refuse it; for the length of the block it counts as wrong."""
    one = Attempt((claim_for(str(current_tenant().id), "second factor", str(user.pk), GUESSES),))
    decision = limiter().take(one.claims)
    if decision is not None and not decision.allowed:
        wait_s = max(1, -int(-decision.retry_after_s // 1))
        raise Throttled(decision, f"Too many codes were wrong. Try again in {wait_s} s.")
    try:
        yield one
    finally:
        if not one.has_failed:
            limiter().give_back(one.claims)


@transaction.atomic
def _used(user: User, code: str) -> Authenticator | None:
    """Race condition: the rows are held, so that of two requests with one code one is the first."""
    rows = Authenticator.objects.select_for_update().filter(user_id=user.pk, type__in=TYPED).order_by("-type")
    return next((row for row in rows if _fits(row, code)), None)


def _fits(row: Authenticator, code: str) -> bool:
    if row.type == Authenticator.Type.TOTP:
        return _fits_app(row, code)
    return bool(row.wrap().validate_code(code))


def _fits_app(row: Authenticator, code: str) -> bool:
    secret, last = decrypt(row.data["secret"]), row.data.get("last_step", 0)
    for step in yield_hotp_counters_from_time():
        if step > last and compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            row.data["last_step"] = step
            row.save(update_fields=["data"])
            return True
    return False


def spend_steps_of_now(row: Authenticator) -> None:
    """Let a new app's codes count from the next one: the one that it was set up with was seen already."""
    row.data["last_step"] = max(yield_hotp_counters_from_time())
