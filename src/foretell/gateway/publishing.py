"""Shows the lane what is known of each tenant: all of a change at once, but for aliases whose next version is still being loaded."""

import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import structlog

from foretell.errors import ForetellError
from foretell.gateway.catalogue import MemoryCatalogue
from foretell.gateway.models import ModelStore
from foretell.gateway.swapping import Awaited, held_back, replaced
from foretell.serving.catalogue import Tenant, Version

log = structlog.get_logger(__name__)

RETRY_AFTER_S = (5.0, 10.0, 30.0, 60.0)


@dataclass
class _Load:
    """A version that an alias waits for: under way, or failed and to be tried again."""

    awaited: Awaited
    future: "Future[None]"
    failures: int = 0
    retry_at: float | None = None
    reason: str = ""


class Publisher:
    """One thread at a time works with it.

    Parameters
    ----------
    on_loaded
        Is called, in any thread, when a version that was waited for is loaded or has failed; then `tend` has something to do.
    """

    def __init__(
        self,
        catalogue: MemoryCatalogue,
        models: ModelStore,
        *,
        on_loaded: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue, self._models = catalogue, models
        self._on_loaded, self._clock = on_loaded, clock
        self._loads: dict[str, dict[tuple[int, str], _Load]] = {}  # by schema, by version

    def publish(self, schema_name: str) -> None:
        """Show a tenant as it is known, as far as its versions are loaded."""
        known, before = self._catalogue.known(schema_name), self._catalogue.published(schema_name)
        if known is None:
            return
        entry, awaited = held_back(known.wanted, before, partial(self._models.is_loaded, known.wanted))
        self._catalogue.publish(entry)
        self._retire(before, entry)
        self._await(entry, awaited)

    def withdraw(self, schema_name: str) -> Tenant | None:
        """Take a tenant that is gone off the lane, and its versions out of memory; return what was shown of it."""
        self._loads.pop(schema_name, None)
        entry = self._catalogue.remove(schema_name)
        if entry is not None:
            for version in (one for model in entry.models.values() for one in model.versions.values()):
                self._models.retire(entry, version, after_s=0)
        return entry

    def tend(self) -> None:
        """Follow up on versions that are waited for: publish those that are loaded, try again those whose time has come."""
        for schema_name, loads in list(self._loads.items()):
            outcomes = [self._is_over(load) for load in loads.values()]
            if any(outcomes):
                self.publish(schema_name)
        self._models.sweep()

    def wait(self) -> None:
        """Wait until every load under way is over."""
        futures.wait([load.future for loads in list(self._loads.values()) for load in list(loads.values())])

    def is_loading(self, schema_name: str) -> bool:
        """Whether an alias of this tenant waits for a version that is being loaded."""
        return any(not load.future.done() for load in self._loads.get(schema_name, {}).values())

    def trouble(self) -> list[str]:
        """Say which aliases stay behind because their next version cannot be loaded here."""
        return [
            f"version {load.awaited.version.number} of {load.awaited.model.name}: {load.reason}"
            for loads in list(self._loads.values())
            for load in list(loads.values())
            if load.failures
        ]

    def _await(self, entry: Tenant, awaited: list[Awaited]) -> None:
        before = self._loads.pop(entry.schema_name, {})
        loads = {}
        for one in awaited:
            key = (one.version.pk, one.version.seal)
            load = before.get(key) or _Load(one, self._started(entry, one))
            if load.future.done() and (load.retry_at is None or load.retry_at <= self._clock()):
                load.future, load.retry_at = self._started(entry, one), None
            loads[key] = load
        if loads:
            self._loads[entry.schema_name] = loads

    def _started(self, entry: Tenant, one: Awaited) -> "Future[None]":
        future = self._models.warm(entry, one.model, one.version)
        future.add_done_callback(lambda _: self._on_loaded())
        return future

    def _is_over(self, load: _Load) -> bool:
        """Whether the load has come to an end that is to be acted on, noting a failure."""
        if load.retry_at is not None:
            return load.retry_at <= self._clock()
        if not load.future.done():
            return False
        error = None if load.future.cancelled() else load.future.exception()
        if error is not None:
            self._note(load, error)
        return error is None

    def _note(self, load: _Load, error: BaseException) -> None:
        """Keep the alias where it is, and say so once."""
        load.reason = error.message if isinstance(error, ForetellError) else type(error).__name__
        if not load.failures:
            log.error(
                "an alias stays where it is: its version cannot be loaded", exc_info=error,
                model=load.awaited.model.name, alias=load.awaited.alias, version=load.awaited.version.number,
            )  # fmt: skip
        load.retry_at = self._clock() + RETRY_AFTER_S[min(load.failures, len(RETRY_AFTER_S) - 1)]
        load.failures += 1

    def _retire(self, before: Tenant | None, entry: Tenant) -> None:
        """Keep what was replaced warm for a while, and what is led to again for good."""
        for version in replaced(before, entry):
            self._models.retire(entry, version)
        for version in _newly_pointed(before, entry):
            self._models.keep(entry, version)


def _newly_pointed(before: Tenant | None, entry: Tenant) -> list[Version]:
    return [] if before is None else replaced(entry, before)
