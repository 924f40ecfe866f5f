"""Model versions in this process's memory: loaded once, verified, warmed up, and let go when others need the room."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import structlog
from django.conf import settings

from foretell.core.tenancy import current_tenant
from foretell.inference.artifacts import load_model
from foretell.inference.errors import ArtifactError, InvalidSignature
from foretell.inference.examples import Examples
from foretell.inference.predicting import LoadedModel, predict
from foretell.inference.sandbox import Sandbox
from foretell.registry import storage
from foretell.registry.models import ModelVersion
from foretell.registry.sealing import SealBroken, check_seal

log = structlog.get_logger(__name__)

MAX_BYTES = 2 << 30  # of artifacts; a graph in memory takes about as much again
MAX_MODELS = 500
WORKER_BYTES = 128 << 20  # what a python runtime's locked worker has for itself, beside its artifact

Key = tuple[str, int, str]  # tenant, version, seal


@dataclass
class _Entry:
    size_bytes: int
    future: Future[LoadedModel] = field(default_factory=Future)
    users: int = 0
    is_let_go: bool = False


class LoadedModels:
    """The versions that this process has loaded, least recently used first."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_models: int = MAX_MODELS) -> None:
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._max_bytes, self._max_models = max_bytes, max_models

    @contextmanager
    def borrowed(self, key: Key, size_bytes: int, load: Callable[[], LoadedModel]) -> Iterator[LoadedModel]:
        """Lend the model of `key`, loaded if it is not; whoever asks meanwhile waits for the same load.

        One that is let go while it is lent is closed when the last of its users has given it back.
        """
        entry, is_ours = self._taken(key, size_bytes)
        try:
            if is_ours:
                self._load(key, entry, load)
            yield entry.future.result()
        finally:
            self._give_back(entry)

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            idle = [entry for key in list(self._entries) if (entry := self._let_go(key)).users == 0]
        _close(idle)

    def _taken(self, key: Key, size_bytes: int) -> tuple[_Entry, bool]:
        with self._lock:
            is_ours = key not in self._entries
            entry = self._entries.setdefault(key, _Entry(size_bytes))
            entry.users += 1
            self._entries.move_to_end(key)
            return entry, is_ours

    def _give_back(self, entry: _Entry) -> None:
        with self._lock:
            entry.users -= 1
            is_over = entry.is_let_go and entry.users == 0
        if is_over:
            _close([entry])

    def _load(self, key: Key, entry: _Entry, load: Callable[[], LoadedModel]) -> None:
        try:
            entry.future.set_result(load())
        except BaseException as err:  # noqa: BLE001  whoever waits is told, and the next request tries anew
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            entry.future.set_exception(err)
        else:
            self._make_room(keep=key)

    def _make_room(self, *, keep: Key) -> None:
        with self._lock:
            others = [key for key in self._entries if key != keep]
            idle = [entry for key in others if self._is_full() and (entry := self._let_go(key)).users == 0]
        _close(idle)

    def _let_go(self, key: Key) -> _Entry:
        entry = self._entries.pop(key)
        entry.is_let_go = True
        return entry

    def _is_full(self) -> bool:
        size = sum(entry.size_bytes for entry in self._entries.values())
        return len(self._entries) > self._max_models or size > self._max_bytes


def _close(entries: Iterable[_Entry]) -> None:
    for entry in entries:
        if entry.future.done() and entry.future.exception() is None:
            entry.future.result().close()


_loaded = LoadedModels()


@contextmanager
def borrowed_model(version: ModelVersion) -> Iterator[LoadedModel]:
    """Lend a ready version's model, from memory or loaded now.

    Raises
    ------
    SealBroken, ArtifactDamaged
        where the row or the file is not what was built; then nothing of it is served.
    """
    key = (str(current_tenant().id), version.pk, version.seal)
    with _loaded.borrowed(key, _size_in_memory(version), lambda: _load(version)) as model:
        yield model


def forget_all() -> None:
    _loaded.clear()


def _load(version: ModelVersion) -> LoadedModel:
    check_seal(version)
    artifact = storage.read(version.sha256)
    try:
        signature = version.read_signature()
        model = load_model(
            runtime=_runtime(version), artifact=artifact, signature=signature, sandbox=Sandbox(settings.SANDBOX_SOCKET)
        )
        _warm_up(model, version)
    except (ArtifactError, InvalidSignature) as err:
        raise SealBroken(f"{version} cannot be loaded: {err.message}") from err
    log.info("model loaded", model=version.model.name, version=version.number, runtime=version.runtime)
    return model


def _warm_up(model: LoadedModel, version: ModelVersion) -> None:
    """Optimization: the first run of a graph costs many times the later ones; it is not a caller's."""
    if version.examples and version.runtime == "onnx":
        predict(model, Examples.from_json(version.examples, model.signature).batch)


def _size_in_memory(version: ModelVersion) -> int:
    return version.size_bytes + (WORKER_BYTES if version.runtime == "python" else 0)


def _runtime(version: ModelVersion) -> Literal["onnx", "python"]:
    return "python" if version.runtime == "python" else "onnx"
