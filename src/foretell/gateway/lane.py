"""All that a web process needs to put the lane together, and what it has to do at its start and at its end."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from django.conf import settings

from foretell.accounts.limiting import limiter
from foretell.addresses import normalised_host, split_prefix
from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.gateway.catalogue import MemoryCatalogue
from foretell.gateway.credentials import Passwords
from foretell.gateway.descriptions import Descriptions
from foretell.gateway.following import Follower
from foretell.gateway.keeping import Keeper, snapshot_of
from foretell.gateway.limits import TenantLimits
from foretell.gateway.listening import Bell
from foretell.gateway.log import PredictionLog
from foretell.gateway.looks import Looks
from foretell.gateway.models import ModelStore
from foretell.gateway.publishing import Publisher
from foretell.inference.loaded_models import LoadedModels
from foretell.registry.serving import loaded_models
from foretell.serving.catalogue import Tenant
from foretell.serving.composing import Ports

FIRST_READING_S = (
    10.0  # longest that a start without a snapshot waits; Django answers for tenants that were not read by then
)
CATCHING_UP_S = 3.0  # … and one with a snapshot, until it is known what changed since, or that the database is away
STALE_S = 5.0


class Gateway:
    """The lane's view of this installation, kept up to date from `start` to `stop`.

    Parameters
    ----------
    loaded
        The versions in memory, shared with Django's views.
    hears
        Whether changes are listened for; without, they are found by the poll alone.
    """

    def __init__(self, *, loaded: LoadedModels = loaded_models, hears: bool = True) -> None:
        directory = catalogue_directory()
        self._bell = Bell()
        self.catalogue = MemoryCatalogue(base_domain=settings.BASE_DOMAIN, looks=Looks(self._bell.ring))
        descriptions = Descriptions(directory / "versions", is_cut_off=lambda: self.catalogue.is_cut_off)
        self.models = ModelStore(loaded, descriptions)
        self.credentials = Passwords(self.catalogue)
        self._publisher = Publisher(self.catalogue, self.models, on_loaded=self._bell.ring)
        self._keeper = Keeper(directory, descriptions)
        self._follower = Follower(self.catalogue, self._publisher, self._keeper, bell=self._bell, hears=hears)

    def ports(self) -> Ports:
        return Ports(
            catalogue=self.catalogue, credentials=self.credentials, models=self.models, limiter=limiter(), limits=TenantLimits(),
            log=PredictionLog(),
        )  # fmt: skip

    async def start(self) -> None:
        """Know every tenant before the first request: from the snapshot, else from the database."""
        await asyncio.to_thread(self.begin)

    async def stop(self) -> None:
        await asyncio.to_thread(self.end)

    def begin(self) -> None:
        """Do what `start` does, in the calling thread."""
        has_snapshot = self._keeper.load(self.catalogue)
        self._follower.start()
        if has_snapshot:  # what was taken away since it was written must not hold for a moment
            self._follower.wait_for_attempt(CATCHING_UP_S)
        else:
            self._follower.wait_for_reading(FIRST_READING_S)

    def end(self) -> None:
        self._follower.stop()
        self.models.close()
        self.credentials.close()
        self._bell.close()

    def when_gone(self, tell: Callable[[Tenant], None]) -> None:
        """Call `tell` with each tenant that is deleted from now on."""
        self._follower.on_gone.append(tell)

    def refresh(self) -> None:
        """Bring the catalogue to what is committed by now; for tests, and whoever cannot wait a second.

        Raises
        ------
        OperationalError
            where the database is away.
        """
        self._follower.refresh()

    @property
    def is_serving(self) -> bool:
        """Whether predictions are answered from memory, be the database there or not."""
        return self.catalogue.is_complete

    @property
    def is_cut_off(self) -> bool:
        """Whether predictions are answered from memory, and the database was away a moment ago."""
        return self.catalogue.is_complete and self.catalogue.is_cut_off

    @property
    def n_aliases_behind(self) -> int:
        """How many aliases wait for a version that cannot be loaded here."""
        return len(self._publisher.trouble())

    def trouble(self) -> str | None:
        """Say what is not as it should be while predictions go on; None where all is well, or nothing was begun."""
        behind = self._publisher.trouble()
        if behind:
            return f"{len(behind)} aliases stay behind: their versions cannot be loaded here"
        age_s = self.catalogue.age_s
        if age_s is None:
            return "served from a snapshot; the database was not reached yet" if self.is_serving else None
        return f"the database was last reached {age_s:.0f} s ago" if self.is_cut_off or age_s > STALE_S else None


class WhenKnown:
    """Hands requests to the lane, but those of tenants that were not read, yet or at all, to `app`: the lane would not know them."""

    def __init__(self, lane: ASGIApp, app: ASGIApp, gateway: Gateway) -> None:
        self._lane, self._app, self._catalogue = lane, app, gateway.catalogue

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        catalogue = self._catalogue
        if (catalogue.is_complete and not catalogue.n_unreadable) or self._knows(scope):
            return self._lane(scope, receive, send)
        return self._app(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        prefixed = split_prefix(scope.get("path", ""))
        if prefixed is not None:
            return self._catalogue.named(prefixed[0]) is not None
        hosts = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"]
        host = normalised_host(hosts[0]) if len(hosts) == 1 else None
        return host is not None and self._catalogue.at_host(host) is not None


@cache
def gateway() -> Gateway:
    """Return this process's gateway; it serves from `start` on."""
    return Gateway()


def catalogue_directory() -> Path:
    """Return where the catalogue is kept on disk."""
    home: Path = settings.FORETELL_HOME
    return home / "catalogue"


def has_snapshot() -> bool:
    """Whether predictions can be served from disk while the database is away."""
    return snapshot_of(catalogue_directory()) is not None
