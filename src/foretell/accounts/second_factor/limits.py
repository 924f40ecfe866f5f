"""How often somebody whom nobody knows may ask for a challenge: each waits in a session of its own."""

from django.http import HttpRequest

from foretell.accounts.limiting import limiter
from foretell.accounts.login_limits import client_of, network_of
from foretell.limits import Policy, Rate, Throttled, claim_for

ADDRESS = Policy("passkey sign-ins of an address", Rate.parse("20/min burst 40"))


def take_challenge(request: HttpRequest) -> None:
    """Count a challenge.

    Raises
    ------
    Throttled
    """
    client = client_of(request)
    decision = limiter().take([claim_for("", "challenge address", network_of(client), ADDRESS)]) if client else None
    if decision is not None and not decision.allowed:
        raise Throttled(decision, "Too many sign-ins by passkey were begun from your address. Try again in a minute.")
