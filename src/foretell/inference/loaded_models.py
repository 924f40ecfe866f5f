"""Model versions in this process's memory: loaded once, lent without waiting, and let go when others need the room.

What is lent stays open until it is given back, whatever becomes of it meanwhile: an entry never leaves while it is lent.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from operator import itemgetter

from foretell.inference.converted import RuntimeName
from foretell.inference.failed_loads import FailedLoads
from foretell.inference.predicting import LoadedModel

MAX_BYTES = 2 << 30  # as `estimated_bytes` has them
MAX_MODELS = 20_000
INFINITE = float("inf")
SWEEP_EVERY_S = 1.0
WARM_S = 600.0  # how long a version that was replaced stays, for a quick way back

_BYTES_PER_MODEL = 120_000  # measured: a session and what is derived of a signature, without the graph
_BYTES_PER_GRAPH_BYTE = 6  # measured: forests of 10, 100 and 500 trees took 5.2 to 6.1 times their file
_WORKER_BYTES = 128 << 20  # what a python runtime's locked worker has for itself, beside its artifact

Load = Callable[[], LoadedModel]


def estimated_bytes(runtime: RuntimeName, artifact_bytes: int) -> int:
    """Return how much memory a version will about take."""
    if runtime == "python":
        return artifact_bytes + _WORKER_BYTES
    return _BYTES_PER_MODEL + _BYTES_PER_GRAPH_BYTE * artifact_bytes


class _Entry:
    """A version that is loaded, or on its way."""

    __slots__ = ("future", "is_closed", "is_leaving", "keep_s", "leases", "model", "size_bytes", "used_at")

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.future: Future[LoadedModel] | None = Future()  # until it is loaded
        self.model: LoadedModel | None = None  # from then on
        # Optimization: a deque's append and pop are atomic, and so count the borrowers without a lock.
        self.leases: deque[None] = deque()
        self.is_leaving = self.is_closed = False
        self.used_at, self.keep_s = 0.0, INFINITE


class LoadedModels:
    """The versions that this process has loaded. Safe to use from several threads.

    Parameters
    ----------
    max_bytes, max_models
        The room; beyond it the least recently used are let go, those that are lent as soon as they are back.
    clock
        Monotonic seconds, for tests.
    """

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        max_models: int = MAX_MODELS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries: dict[Hashable, _Entry] = {}
        self._failed = FailedLoads(clock)
        self._lock = threading.Lock()
        self._max_bytes, self._max_models, self._clock = max_bytes, max_models, clock
        self._n_staying = self._bytes_staying = 0
        self._n_lent = self._n_shared = 0  # apart: one is counted by the event loop alone, the other with the lock held
        self.n_loads = self.n_evictions = 0
        self._swept_at = clock()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def n_bytes(self) -> int:
        """How much memory the versions that stay will about take."""
        return self._bytes_staying

    @property
    def n_hits(self) -> int:
        """How often a version was lent that was in memory, or on its way there."""
        return self._n_lent + self._n_shared

    def get(self, key: Hashable) -> LoadedModel | None:
        """Return a model that is in memory, without lending it: its signature can be read, but it may be closed any time."""
        entry = self._entries.get(key)
        return None if entry is None else entry.model

    def lend(self, key: Hashable) -> LoadedModel | None:
        """Lend a model that is in memory, to be given back by `give_back`; None where it is not. Never waits."""
        entry = self._entries.get(key)
        if entry is None or entry.model is None:
            return None
        entry.leases.append(None)
        # Race condition: whoever closes says so before the last look at the leases, and a borrower looks after taking one.
        if entry.is_closed:
            entry.leases.pop()
            return None
        entry.used_at = self._clock()
        self._n_lent += 1
        return entry.model

    def give_back(self, key: Hashable) -> None:
        """Return what `lend` or `load` lent."""
        entry = self._entries[key]
        entry.leases.pop()
        if entry.is_leaving and not entry.leases:
            with self._lock:
                left = self._left(key, entry)
            _close(left)

    def load(self, key: Hashable, size_bytes: int, load: Load) -> LoadedModel:
        """Lend a model, loaded by `load` if it is not in memory; whoever asks meanwhile waits for the same load.

        Raises
        ------
        Exception
            whatever `load` raised: now, or a moment ago.
        """
        entry, is_ours = self._taken(key, size_bytes)
        try:
            future = entry.future
            if is_ours and future is not None:
                return self._loaded(key, entry, future, load)
            return entry.model or _awaited(future)
        except BaseException:
            entry.leases.pop()
            raise

    def warm(self, key: Hashable, size_bytes: int, load: Load) -> None:
        """Load a model ahead of its first request; raises what `load` raises."""
        self.load(key, size_bytes, load)
        self.give_back(key)

    @contextmanager
    def borrowed(self, key: Hashable, size_bytes: int, load: Load) -> Iterator[LoadedModel]:
        """Lend a model for as long as the context lasts; see `load`."""
        model = self.load(key, size_bytes, load)
        try:
            yield model
        finally:
            self.give_back(key)

    def retire(self, key: Hashable, *, after_s: float = WARM_S) -> None:
        """Let a version that was replaced go once it was not used for so long; to load or warm it again takes that back."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.used_at, entry.keep_s = self._clock(), after_s

    def sweep(self) -> None:
        """Let go of what was retired and not used since. To be called every now and then; loads do as well."""
        now = self._swept_at = self._clock()
        with self._lock:
            due = [
                (key, entry) for key, entry in self._entries.items()
                if entry.is_leaving or now - entry.used_at >= entry.keep_s
            ]  # fmt: skip
            left = [model for key, entry in due for model in self._let_go(key, entry)]
        _close(left)

    def clear(self) -> None:
        """Let go of everything, and forget what failed."""
        with self._lock:
            self._failed.clear()
            left = [model for key, entry in list(self._entries.items()) for model in self._let_go(key, entry)]
        _close(left)

    def _taken(self, key: Hashable, size_bytes: int) -> tuple[_Entry, bool]:
        with self._lock:
            entry = self._entries.get(key)
            is_ours = entry is None
            if entry is None:
                self._failed.raise_if_known(key)
                entry = self._entries[key] = _Entry(size_bytes)
                self._n_staying += 1
                self._bytes_staying += size_bytes
                self.n_loads += 1
            else:
                self._n_shared += 1
            entry.leases.append(None)
            entry.used_at, entry.keep_s = self._clock(), INFINITE
            return entry, is_ours

    def _loaded(self, key: Hashable, entry: _Entry, future: Future[LoadedModel], load: Load) -> LoadedModel:
        try:
            model = load()
        except BaseException as error:
            with self._lock:
                self._failed.remember(key, error)
                self._let_go(key, entry)
                del self._entries[key]
            future.set_exception(error)
            raise
        entry.model, entry.future = model, None
        future.set_result(model)
        if self._clock() - self._swept_at >= SWEEP_EVERY_S:
            self.sweep()
        self._make_room(keep=entry)
        return model

    def _make_room(self, *, keep: _Entry) -> None:
        left: list[LoadedModel] = []
        with self._lock:
            while self._n_staying > self._max_models or self._bytes_staying > self._max_bytes:
                others = [
                    (entry.used_at, key) for key, entry in self._entries.items()
                    if entry is not keep and not entry.is_leaving
                ]  # fmt: skip
                if not others:
                    break
                key = min(others, key=itemgetter(0))[1]
                self.n_evictions += 1
                left += self._let_go(key, self._entries[key])
        _close(left)

    def _let_go(self, key: Hashable, entry: _Entry) -> list[LoadedModel]:
        """Take a version out, or have it leave as soon as nobody borrows it; return what is to be closed."""
        if not entry.is_leaving:
            entry.is_leaving = True
            self._n_staying -= 1
            self._bytes_staying -= entry.size_bytes
        return self._left(key, entry)

    def _left(self, key: Hashable, entry: _Entry) -> list[LoadedModel]:
        if entry.is_closed or entry.leases or entry.model is None:
            return []
        entry.is_closed = True
        if entry.leases:
            entry.is_closed = False  # someone came in between; it leaves when they give it back, or at the next sweep
            return []
        del self._entries[key]
        return [entry.model]


def _awaited(future: Future[LoadedModel] | None) -> LoadedModel:
    # Race condition: the entry's model was looked at after its future, so that one of the two was there.
    assert future is not None  # noqa: S101
    return future.result()


def _close(models: list[LoadedModel]) -> None:
    for model in models:
        model.close()
