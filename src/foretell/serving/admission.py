"""Who was let in, and to what."""

from collections.abc import Sequence

from foretell.limits import Claim
from foretell.serving.catalogue import Model, Principal, Tenant


class Admission:
    """Somebody let in to predict with a model.

    Optimization: kept with the head that it was asked with. It holds for as long as the tenant's entry is the same, of which every
    change of a key, a role, a model, an alias or a limit makes another one; and until the credential has to be looked at again.

    claims : what each prediction takes from.
    until : seconds since 1970.
    """

    __slots__ = ("claims", "model", "principal", "tenant", "until")

    def __init__(
        self, tenant: Tenant, principal: Principal, model: Model, claims: Sequence[Claim], until: float
    ) -> None:  # fmt: skip
        self.tenant, self.principal, self.model, self.claims, self.until = tenant, principal, model, claims, until
