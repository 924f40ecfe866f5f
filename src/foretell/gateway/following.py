"""Keeps the catalogue what the database has: a thread that hears of changes, and asks twice a second all the same."""

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

import structlog
from django.db import close_old_connections
from django.utils import timezone

from foretell.accounts import limiting
from foretell.core.tenancy import use_tenant
from foretell.gateway.away import AWAY
from foretell.gateway.catalogue import MemoryCatalogue, known_of
from foretell.gateway.keeping import Keeper
from foretell.gateway.listening import Bell, Listener, listening
from foretell.gateway.publishing import Publisher
from foretell.gateway.reading import TenantHead, read_heads, read_tenant
from foretell.gateway.rows import TenantRows, packed
from foretell.serving.catalogue import Tenant

log = structlog.get_logger(__name__)

POLL_S = 0.5
REST_S = 0.05  # between two looks: what changes in quick succession is read together
RECONNECT_S = (
    0.2,
    2.0,
)  # at first and at most; each wait is shortened by chance, so that processes come back one by one
UNREADABLE_S = 30.0  # until a tenant that could not be read is tried again, though nothing changed
BATCH = 100  # tenants whose own rows are read at once


class Follower:
    """Reads what changed, and only that; what it reads, the publisher shows and the keeper writes down.

    Parameters
    ----------
    hears
        Whether it listens at all; without, it has only the poll. For tests.
    """

    def __init__(
        self, catalogue: MemoryCatalogue, publisher: Publisher, keeper: Keeper, *, bell: Bell, hears: bool = True
    ) -> None:
        self._catalogue, self._publisher, self._keeper = catalogue, publisher, keeper
        self._bell, self._hears = bell, hears
        self._turn = threading.Lock()  # one at a time reads and publishes
        self._stopping = threading.Event()
        self._has_tried, self._has_read = threading.Event(), threading.Event()
        self._unreadable: dict[
            str, tuple[int, float]
        ] = {}  # the revision that could not be read, and when it is tried again
        self._thread: threading.Thread | None = None
        self.on_gone: list[
            Callable[[Tenant], None]
        ] = []  #: who keeps something of tenants, and is told when one is gone

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="catalogue", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._bell.ring()
        if self._thread is not None:
            self._thread.join(timeout=10.0)
        self._keeper.write_now(self._catalogue)

    def wait_for_reading(self, timeout_s: float) -> None:
        """Wait until the catalogue is what the database has."""
        self._has_read.wait(timeout_s)

    def wait_for_attempt(self, timeout_s: float) -> None:
        """Wait until the catalogue is what the database has, or that is found to be away."""
        self._has_tried.wait(timeout_s)

    def refresh(self) -> None:
        """Bring the catalogue to what is committed by now, aliases included, in the calling thread.

        Raises
        ------
        OperationalError
            where the database is away.
        """
        with listening(self._bell, hears=False) as listener:
            self._catch_up(listener)
        self._publisher.wait()
        self._look_after()

    def _run(self) -> None:
        wait_s = RECONNECT_S[0]
        while not self._stopping.is_set():
            try:
                with listening(self._bell, hears=self._hears) as listener:
                    log.info("the catalogue follows the database", tenants=len(self._catalogue))
                    wait_s = RECONNECT_S[0]
                    self._follow(listener)
            except AWAY as err:
                self._note_away(err)
            except Exception:
                log.exception("the catalogue stopped following the database, and begins again")
            self._catalogue.looks.close()
            self._wait_away(wait_s * random.uniform(0.5, 1.0))  # noqa: S311  no secret: a wait
            wait_s = min(2 * wait_s, RECONNECT_S[1])

    def _note_away(self, err: Exception) -> None:
        """Say once that the database is away, not at each attempt to reach it."""
        if not self._catalogue.is_cut_off:
            log.warning("the catalogue cannot follow the database; what is known is served", detail=str(err).strip())
        self._catalogue.is_cut_off = True
        self._has_tried.set()

    def _follow(self, listener: Listener) -> None:
        looks = self._catalogue.looks
        while not self._stopping.is_set():
            waits = looks.begin()
            self._catch_up(listener)
            self._look_after()
            looks.end(waits, is_loading=self._publisher.is_loading)
            self._stopping.wait(REST_S)
            listener.wait(POLL_S - REST_S)

    def _wait_away(self, seconds: float) -> None:
        """Versions may still be swapped while the database is away: those that are on disk."""
        until = time.monotonic() + seconds
        while not self._stopping.is_set() and time.monotonic() < until:
            self._look_after()
            self._stopping.wait(0.1)

    def _look_after(self) -> None:
        with self._turn:
            self._publisher.tend()
        self._keeper.tend(self._catalogue)

    def _catch_up(self, listener: Listener) -> None:
        """Read every tenant whose revision is another than the one that is known.

        Race condition: the numbers are read before the rows, so what changes in between is read again.
        """
        with self._turn, _connections():
            with self._catalogue.asking():
                numbers = listener.numbers()
            known = self._catalogue.numbers()
            for schema_name in known.keys() - numbers.keys():
                self._forget(schema_name)
            self._unreadable = {name: at for name, at in self._unreadable.items() if name in numbers}
            changed = [
                name for name, number in numbers.items() if number != known.get(name) and self._is_due(name, number)
            ]
            for at in range(0, len(changed), BATCH):
                self._read(changed[at : at + BATCH], numbers)
            self._catalogue.n_unreadable = len(self._unreadable)
            self._catalogue.confirm()
        self._has_read.set()
        self._has_tried.set()

    def _is_due(self, schema_name: str, number: int) -> bool:
        """Whether to read a tenant: one that could not be read, perhaps not migrated yet, is tried again after a while."""
        unreadable, retry_at = self._unreadable.get(schema_name, (None, 0.0))
        return number != unreadable or time.monotonic() >= retry_at

    def _read(self, schema_names: Collection[str], numbers: Mapping[str, int]) -> None:
        with self._catalogue.asking():
            heads = read_heads(schema_names, now=timezone.now())
        for head in heads:
            number = numbers[head.schema_name]
            try:
                with self._catalogue.asking():
                    rows = read_tenant(head, now=timezone.now())
                self._learn(rows, number)
                self._seed_quota(head)
                self._unreadable.pop(head.schema_name, None)
            except AWAY:
                raise
            except Exception:
                self._unreadable[head.schema_name] = (number, time.monotonic() + UNREADABLE_S)
                log.exception("a tenant cannot be read; what was known of it is served", tenant=head.name)

    def _learn(self, rows: TenantRows, number: int) -> None:
        self._catalogue.learn(known_of(rows, number=number, packed=packed(rows)))
        self._publisher.publish(rows.schema_name)
        self._keeper.note(rows.schema_name)

    def _seed_quota(self, head: TenantHead) -> None:
        """Tell the month's counters what the log knows, here, where the database may be asked: the lane only counts."""
        entry = self._catalogue.published(head.schema_name)
        if entry is not None and _has_quota(entry):
            with use_tenant(head):
                limiting.seed_quota(tenant=head, now=timezone.now())

    def _forget(self, schema_name: str) -> None:
        entry = self._publisher.withdraw(schema_name)
        if entry is not None:
            self._keeper.forget(entry)
            limiting.forget_tenant(UUID(entry.id))
            for tell in self.on_gone:
                tell(entry)


def _has_quota(entry: Tenant) -> bool:
    return entry.requests_per_month is not None or entry.rows_per_month is not None


@contextmanager
def _connections() -> Iterator[None]:
    """Give the thread's connection back: it is no request, after which Django would."""
    try:
        yield
    finally:
        close_old_connections()
