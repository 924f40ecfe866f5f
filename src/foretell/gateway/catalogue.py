"""The tenants in memory: whoever asks finds an entry whole, as it was or as it is; no call waits."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from foretell.gateway.entries import entry_of
from foretell.gateway.looks import Looks
from foretell.gateway.rows import TenantRows
from foretell.gateway.tokens import TokenFacts, facts_of
from foretell.serving.catalogue import Tenant

SILENCE_S = 3.0  # a database that has not said a word for so long is away, though it refused nothing


@dataclass(frozen=True, slots=True)
class Known:
    """A tenant's entry, and where it comes from.

    number : of the revision whose rows it was made of.
    packed : those rows (`gateway.rows`), for a snapshot.
    wanted : the entry as the rows have it; what is published may hold an alias back until its version is loaded.
    domains : the host names that lead to it.
    tokens : what its tokens are verified with.
    """

    number: int
    packed: bytes
    wanted: Tenant
    domains: tuple[str, ...]
    tokens: TokenFacts


def known_of(rows: TenantRows, *, number: int, packed: bytes) -> Known:
    """Return what is known of a tenant by its rows."""
    return Known(
        number=number, packed=packed, wanted=entry_of(rows), domains=tuple(rows.domains), tokens=facts_of(rows)
    )


class MemoryCatalogue:
    """Implements `serving.ports.Catalogue`. One thread at a time writes; any thread reads.

    Parameters
    ----------
    base_domain
        Each tenant is at ``<name>.<base domain>`` too, as `tenants.resolving` has it.
    looks
        Where a request waits until the database was looked at once more.
    """

    def __init__(
        self, *, base_domain: str, looks: Looks | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.looks = looks or Looks(lambda: None)
        self._suffix = f".{base_domain}"
        self._clock = clock
        self._published: dict[str, Tenant] = {}  # by schema; what hosts and names lead to is replaced in one step
        self._known: dict[str, Known] = {}
        self._addresses: dict[str, tuple[str, tuple[str, ...]]] = {}  # the name and the domains, as they are published
        self._schema_of_host: dict[str, str] = {}
        self._schema_of_name: dict[str, str] = {}
        self._confirmed_at: float | None = None
        self.n_learned = 0  #: how often a tenant was read anew
        self.n_unreadable = (
            0  #: tenants that could not be read, such as one whose schema is behind: Django answers for them
        )
        self.is_complete = False  #: whether every tenant was read: from the database, or from a snapshot of it
        self._is_away = False
        self._asked_at: float | None = None  # since when a question waits for its answer

    # --- for the lane ---

    def at_host(self, host: str) -> Tenant | None:
        schema = self._schema_of_host.get(host)
        if schema is not None:
            return self._published.get(schema)
        return self.named(host[: -len(self._suffix)]) if host.endswith(self._suffix) else None

    def named(self, name: str) -> Tenant | None:
        schema = self._schema_of_name.get(name)
        return None if schema is None else self._published.get(schema)

    async def caught_up(self, tenant: Tenant) -> None:
        await self.looks.wait(tenant.schema_name)

    # --- for whoever follows the database ---

    def __len__(self) -> int:
        return len(self._published)

    def __iter__(self) -> Iterator[Tenant]:
        return iter(list(self._published.values()))

    def published(self, schema_name: str) -> Tenant | None:
        return self._published.get(schema_name)

    def known(self, schema_name: str) -> Known | None:
        return self._known.get(schema_name)

    def all_known(self) -> Collection[Known]:
        return list(self._known.values())

    def numbers(self) -> dict[str, int]:
        """Return the revision of each tenant, by schema."""
        return {schema: known.number for schema, known in self._known.items()}

    def learn(self, known: Known) -> None:
        """Keep what is known of a tenant; `publish` shows it to the lane."""
        self._known[known.wanted.schema_name] = known
        self.n_learned += 1

    def publish(self, entry: Tenant) -> None:
        """Let an entry of a tenant that is known take the place of the one before, with the addresses that lead to it."""
        schema, domains = entry.schema_name, self._known[entry.schema_name].domains
        self._published[schema] = entry
        self._unmap(schema, name=entry.name, domains=domains)
        self._schema_of_name[entry.name] = schema
        self._schema_of_host.update(dict.fromkeys(domains, schema))
        self._addresses[schema] = (entry.name, domains)

    def remove(self, schema_name: str) -> Tenant | None:
        """Forget a tenant; return what was published of it."""
        self._unmap(schema_name)
        self._addresses.pop(schema_name, None)
        self._known.pop(schema_name, None)
        return self._published.pop(schema_name, None)

    def confirm(self) -> None:
        """Note that the database was asked just now, and all that it told is here."""
        self._confirmed_at, self.is_complete, self.is_cut_off = self._clock(), True, False

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Note while the database is asked: one that hangs refuses nothing, and only the waiting tells of it."""
        self._asked_at = self._clock()
        try:
            yield
        finally:
            self._asked_at = None

    @property
    def is_cut_off(self) -> bool:
        """Whether the database was away when it was last asked, or leaves what it is asked unanswered."""
        asked_at = self._asked_at
        return self._is_away or (asked_at is not None and self._clock() - asked_at > SILENCE_S)

    @is_cut_off.setter
    def is_cut_off(self, is_away: bool) -> None:
        self._is_away = is_away

    @property
    def age_s(self) -> float | None:
        """Seconds since the catalogue was last known to be what the database has; None: not since this process began."""
        return None if self._confirmed_at is None else self._clock() - self._confirmed_at

    def _unmap(self, schema: str, *, name: str | None = None, domains: Collection[str] = ()) -> None:
        """Let no address lead to a tenant that has lost it; one that another tenant has by now stays."""
        old_name, old_domains = self._addresses.get(schema, (None, ()))
        if old_name is not None and old_name != name and self._schema_of_name.get(old_name) == schema:
            del self._schema_of_name[old_name]
        for domain in old_domains:
            if domain not in domains and self._schema_of_host.get(domain) == schema:
                del self._schema_of_host[domain]
