"""Versions in memory, as the lane asks for them: lent in no time, loaded in a thread once for all who wait."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from foretell.core.tenancy import use_tenant
from foretell.errors import ForetellError
from foretell.gateway.away import asked_database
from foretell.gateway.descriptions import Descriptions
from foretell.inference.loaded_models import WARM_S, LoadedModels
from foretell.inference.predicting import LoadedModel
from foretell.registry.serving import Key, load_version, size_of
from foretell.serving.catalogue import Model, Tenant, Version

LOADERS = 2  # threads: a load reads a file and checks it, mostly outside the interpreter
ATTEMPTS = 3


class NoRoom(ForetellError):
    """A version that others pushed out of memory before it could be lent."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("Too many models are being loaded at this moment. Try again in a few seconds.")


class ModelStore:
    """Implements `serving.ports.Models` over the versions that this process has loaded, whichever face asked for them.

    Parameters
    ----------
    loaded
        The same for Django's views: one budget of memory.
    """

    def __init__(self, loaded: LoadedModels, descriptions: Descriptions) -> None:
        self._loaded, self._descriptions = loaded, descriptions
        self._pool = ThreadPoolExecutor(max_workers=LOADERS, thread_name_prefix="load")
        self._lock = threading.Lock()
        self._loading: dict[Key, Future[None]] = {}

    def lend(self, tenant: Tenant, version: Version) -> LoadedModel | None:
        return self._loaded.lend((tenant.id, version.pk, version.seal))

    def give_back(self, tenant: Tenant, version: Version) -> None:
        self._loaded.give_back((tenant.id, version.pk, version.seal))

    async def load(self, tenant: Tenant, model: Model, version: Version) -> LoadedModel:
        """Return the version, loaded and lent.

        Raises
        ------
        ForetellError
            where it is not what was built, or cannot be read.
        """
        for _ in range(ATTEMPTS):
            # Shielded: who goes away takes the load from nobody else.
            await asyncio.shield(asyncio.wrap_future(self.warm(tenant, model, version)))
            lent = self.lend(tenant, version)
            if lent is not None:
                return lent
        raise NoRoom

    def warm(self, tenant: Tenant, model: Model, version: Version) -> "Future[None]":
        """Load a version in a thread; whoever asks meanwhile is given the same load."""
        key = (tenant.id, version.pk, version.seal)
        with self._lock:
            future = self._loading.get(key)
            if future is None:
                future = self._loading[key] = self._pool.submit(self._load, key, tenant, model, version)
                future.add_done_callback(self._forgetting(key))
        return future

    def is_loaded(self, tenant: Tenant, version: Version) -> bool:
        return self._loaded.get((tenant.id, version.pk, version.seal)) is not None

    def keep(self, tenant: Tenant, version: Version) -> None:
        """Let a version stay again that something leads to."""
        self._loaded.retire((tenant.id, version.pk, version.seal), after_s=float("inf"))

    def retire(self, tenant: Tenant, version: Version, *, after_s: float = WARM_S) -> None:
        """Let a version that nothing leads to any more go after a while, in which one may want it back."""
        self._loaded.retire((tenant.id, version.pk, version.seal), after_s=after_s)

    def sweep(self) -> None:
        """Let go of what was retired long enough ago."""
        self._loaded.sweep()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forgetting(self, key: Key) -> Callable[[object], object]:
        return lambda _: self._loading.pop(key, None)

    def _load(self, key: Key, tenant: Tenant, model: Model, version: Version) -> None:
        with asked_database(), use_tenant(tenant):
            row = self._descriptions.row(tenant, model, version)
            self._loaded.warm(key, size_of(row), lambda: load_version(row))
