"""Who was let in, and to what."""

from collections.abc import Sequence
from weakref import ref

from foretell.limits import Claim
from foretell.serving.catalogue import Model, Principal, Tenant


class Admission:
    """Somebody let in to predict with a model.

    Optimization: kept with the head that it was asked with. It holds for as long as the tenant's entry is the same, of which every
    change of a key, a role, a model, an alias or a limit makes another one; and until the credential has to be looked at again.
    Security: it keeps no entry alive; heads are many, and their connections may be idle for long.

    claims : what each prediction takes from.
    until : seconds since 1970.
    """

    __slots__ = ("_tenant", "claims", "model", "principal", "until")

    def __init__(
        self, tenant: Tenant, principal: Principal, model: Model, claims: Sequence[Claim], until: float
    ) -> None:  # fmt: skip
        self._tenant = ref(tenant)
        self.principal, self.model, self.claims, self.until = principal, model, claims, until

    @property
    def tenant(self) -> Tenant | None:
        """The entry as it was; None where it was replaced, and no request needs it any more."""
        return self._tenant()
