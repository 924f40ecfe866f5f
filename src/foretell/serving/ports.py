"""What the lane needs of the world outside, as it wants to ask for it. `foretell.gateway` answers; `memory` does in tests."""

from collections.abc import Sequence
from typing import Protocol

from foretell.inference.predicting import LoadedModel
from foretell.limits import Claim
from foretell.segments.records import PredictionRecord
from foretell.serving.catalogue import Model, Principal, Tenant, Version


class Catalogue(Protocol):
    """Tenants by their addresses, from memory: the first two may not wait."""

    def at_host(self, host: str) -> Tenant | None:
        """Return the tenant at a normalised host name."""
        ...

    def named(self, name: str) -> Tenant | None: ...

    async def caught_up(self, tenant: Tenant) -> None:
        """Wait until what was changed of a tenant before now is known here, if that can be had within a moment."""
        ...


class Credentials(Protocol):
    """What can be checked of a credential only with something that the catalogue does not hold."""

    @property
    def pepper(self) -> bytes:
        """What digests of API keys are made with."""
        ...

    async def verify_password(self, tenant: Tenant, *, name: str, password: str, client: str) -> Principal | None:
        """Return who this is. Limits failed attempts before anything is hashed.

        Raises
        ------
        Throttled
            after too many failures of this account, address or tenant.
        """
        ...

    async def verify_session(self, tenant: Tenant, cookies: str, *, is_below_prefix: bool) -> Principal | None:
        """Return who is signed in with these cookies (the Cookie header); None where nobody is."""
        ...

    def verify_token(self, tenant: Tenant, token: str) -> tuple[Principal, float] | None:
        """Return whom a JSON Web Token of this tenant names, and when it expires; None where it is none."""
        ...


class Models(Protocol):
    """Versions in memory. What is lent stays open until it is given back, whatever happens to its alias."""

    def lend(self, tenant: Tenant, version: Version) -> LoadedModel | None:
        """Return the version where it is in memory; must not wait."""
        ...

    async def load(self, tenant: Tenant, model: Model, version: Version) -> LoadedModel:
        """Return the version, loaded, verified and warmed up now, and lent.

        Raises
        ------
        ForetellError
            where the row or the file is not what was built, or the place it is loaded from is away.
        """
        ...

    def give_back(self, tenant: Tenant, version: Version) -> None: ...


class Limits(Protocol):
    """Which limits hold beside those in the principal's own claims."""

    def scope_claims(self, tenant: Tenant, principal: Principal, model: Model) -> Sequence[Claim]:
        """Return the claims of the model's named limit (`Model.limit_scope`)."""
        ...

    def take_quota(self, tenant: Tenant, *, rows: int) -> None:
        """Count rows against the tenant's month.

        Raises
        ------
        QuotaExceeded
            when it is spent.
        """
        ...


class Log(Protocol):
    """The durable prediction log."""

    def append(self, record: PredictionRecord, *, is_required: bool) -> None:
        """Keep the record before the answer goes out; raises LogUnavailable where it cannot, if it is required."""
        ...
