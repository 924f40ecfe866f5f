"""The ports in memory, for tests and for trying the lane without a database."""

from collections import Counter
from collections.abc import Mapping, Sequence

from foretell.inference.predicting import LoadedModel
from foretell.limits import Claim
from foretell.refusals import ModelNotFound
from foretell.segments.records import PredictionRecord
from foretell.serving.catalogue import Model, Principal, Tenant, Version


class MemoryCatalogue:
    """Tenants by name; each is at the host ``<name>.localhost``."""

    def __init__(self, *tenants: Tenant) -> None:
        self._by_name: dict[str, Tenant] = {}
        for tenant in tenants:
            self.put(tenant)

    def put(self, tenant: Tenant) -> None:
        """Let `tenant` stand in the place of whoever has its name."""
        self._by_name[tenant.name] = tenant

    def at_host(self, host: str) -> Tenant | None:
        return self._by_name.get(host.removesuffix(".localhost"))

    def named(self, name: str) -> Tenant | None:
        return self._by_name.get(name)

    async def caught_up(self, tenant: Tenant) -> None:
        """Nothing to wait for: what was put is there."""


class MemoryCredentials:
    """Passwords by tenant and name; no tokens."""

    def __init__(
        self, *, pepper: bytes, passwords: Mapping[tuple[str, str], tuple[str, Principal]] | None = None
    ) -> None:
        self.pepper = pepper
        self._passwords = dict(passwords or {})

    async def verify_password(self, tenant: Tenant, *, name: str, password: str, client: str) -> Principal | None:
        expected, principal = self._passwords.get((tenant.id, name), ("", None))
        return principal if principal is not None and password == expected else None

    async def verify_session(self, tenant: Tenant, cookies: str, *, is_below_prefix: bool) -> Principal | None:
        """Take ``session=<name>`` for somebody with a password."""
        return self._passwords.get((tenant.id, cookies.removeprefix("session=")), ("", None))[1]

    def verify_token(self, tenant: Tenant, token: str) -> tuple[Principal, float] | None:
        return None


class MemoryModels:
    """Models by tenant and version; what is not here is not found."""

    def __init__(self, models: Mapping[tuple[str, int], LoadedModel] | None = None) -> None:
        self._models = dict(models or {})
        self.lent: Counter[tuple[str, int]] = Counter()

    def put(self, tenant: Tenant, version: Version, model: LoadedModel) -> None:
        self._models[tenant.id, version.pk] = model

    def lend(self, tenant: Tenant, version: Version) -> LoadedModel | None:
        key = (tenant.id, version.pk)
        found = self._models.get(key)
        if found is not None:
            self.lent[key] += 1
        return found

    async def load(self, tenant: Tenant, model: Model, version: Version) -> LoadedModel:
        raise ModelNotFound

    def give_back(self, tenant: Tenant, version: Version) -> None:
        self.lent[tenant.id, version.pk] -= 1


class MemoryLimits:
    """No named limits, and no quotas."""

    def scope_claims(self, tenant: Tenant, principal: Principal, model: Model) -> Sequence[Claim]:
        return ()

    def take_quota(self, tenant: Tenant, *, rows: int) -> None:
        return


class MemoryLog:
    def __init__(self) -> None:
        self.records: list[PredictionRecord] = []

    def append(self, record: PredictionRecord, *, is_required: bool) -> None:
        self.records.append(record)
