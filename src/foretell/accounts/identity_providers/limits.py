"""How often somebody may send this server to a provider: each time it asks an address that a tenant's owner typed in."""

from django.http import HttpRequest

from foretell.accounts.limiting import limiter
from foretell.accounts.login_limits import client_of, network_of
from foretell.core.tenancy import current_tenant
from foretell.limits import Policy, Rate, Throttled, claim_for

ADDRESS = Policy("errands of an address", Rate.parse("20/min burst 40"))
TENANT = Policy("errands of a tenant", Rate.parse("120/min burst 200"))


def take_errand(request: HttpRequest) -> None:
    """Count an errand.

    Raises
    ------
    Throttled
    """
    client = client_of(request)
    claims = [claim_for(str(current_tenant().id), "errand", "", TENANT)]
    if client:
        claims.append(claim_for("", "errand address", network_of(client), ADDRESS))
    decision = limiter().take(claims)
    if decision is not None and not decision.allowed:
        raise Throttled(decision, "Too many people come by identity providers at this moment. Try again in a minute.")
