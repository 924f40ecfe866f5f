"""Model versions in this process's memory: loaded once, verified, warmed up, and let go when others need the room."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
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

Key = tuple[str, int, str]  # tenant, version, seal


@dataclass
class _Entry:
    future: Future[LoadedModel]
    size_bytes: int


class LoadedModels:
    """The versions that this process has loaded, least recently used first."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_models: int = MAX_MODELS) -> None:
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._max_bytes, self._max_models = max_bytes, max_models

    def get(self, key: Key, size_bytes: int, load: Callable[[], LoadedModel]) -> LoadedModel:
        """Return the model of `key`, loaded if it is not; whoever asks meanwhile waits for the same load."""
        with self._lock:
            entry = self._entries.get(key)
            is_ours = entry is None
            if entry is None:
                entry = self._entries[key] = _Entry(Future(), size_bytes)
            self._entries.move_to_end(key)
        if is_ours:
            self._load(key, entry, load)
        return entry.future.result()

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            entries = list(self._entries.values())
            self._entries.clear()
        for entry in entries:
            _close(entry)

    def _load(self, key: Key, entry: _Entry, load: Callable[[], LoadedModel]) -> None:
        try:
            entry.future.set_result(load())
        except BaseException as err:  # noqa: BLE001  whoever waits is told, and the next request tries anew
            with self._lock:
                self._entries.pop(key, None)
            entry.future.set_exception(err)
        else:
            self._make_room(keep=key)

    def _make_room(self, *, keep: Key) -> None:
        """Let go of the least recently used. A prediction under way on one of them keeps its own reference to it."""
        for entry in self._evicted(keep):
            _close(entry)

    def _evicted(self, keep: Key) -> list[_Entry]:
        with self._lock:
            evicted = []
            for key in list(self._entries):
                is_full = (
                    len(self._entries) > self._max_models
                    or sum(e.size_bytes for e in self._entries.values()) > self._max_bytes
                )
                if not is_full:
                    break
                if key != keep and self._entries[key].future.done():
                    evicted.append(self._entries.pop(key))
            return evicted


def _close(entry: _Entry) -> None:
    if entry.future.done() and entry.future.exception() is None:
        entry.future.result().close()


_loaded = LoadedModels()


def loaded_model(version: ModelVersion) -> LoadedModel:
    """Return a ready version's model, from memory or loaded now.

    Raises
    ------
    SealBroken, ArtifactDamaged
        where the row or the file is not what was built; then nothing of it is served.
    """
    key = (str(current_tenant().id), version.pk, version.seal)
    return _loaded.get(key, version.size_bytes, lambda: _load(version))


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


def _runtime(version: ModelVersion) -> Literal["onnx", "python"]:
    return "python" if version.runtime == "python" else "onnx"
