"""Graphs in memory by their content: the same bytes under the same signature are one session, however many versions they are.

Security: a graph has no state, and whoever loads it has verified these very bytes; so that versions, and tenants, may share it. What a
version is called and who may ask it stay its own.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import NoReturn
from weakref import WeakValueDictionary

import msgspec

from foretell.inference.batch import Batch, Predictions
from foretell.inference.errors import RunFailed
from foretell.inference.predicting import LoadedModel
from foretell.inference.signature import Signature

CLOSED = "This model version was closed."


class _Graph:
    """A session and its signature, for as long as somebody uses them."""

    def __init__(self, artifact: bytes, signature: Signature) -> None:
        from foretell.inference.runtimes.onnx import OnnxRuntime

        self.signature = signature
        self.run = OnnxRuntime(artifact, signature).run


class SharedRuntime:
    """One version's hold on a graph; the last one that lets go takes it out of memory."""

    name = "onnx"

    def __init__(self, graph: _Graph) -> None:
        self._graph: _Graph | None = graph
        # Optimization: the graph's own `run` stands here itself, and is called without a step between.
        self.run: Callable[[Batch], Predictions] = graph.run

    def close(self) -> None:
        self._graph, self.run = None, _refuse


class SharedGraphs:
    """Opens graphs, each content once."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[bytes, _Graph] = WeakValueDictionary()

    def open(self, artifact: bytes, signature: Signature) -> LoadedModel:
        """Return a model of a graph that `graph_checks.check_graph` has passed; see `OnnxRuntime`."""
        key = blake2b(artifact, key=_digest(signature)).digest()
        graph = self._known.get(key)
        if graph is None:
            # Race condition: two who open the same at once each get one; nothing but memory is lost, until they close.
            graph = self._known[key] = _Graph(artifact, signature)
        return LoadedModel(graph.signature, SharedRuntime(graph))


def _digest(signature: Signature) -> bytes:
    return blake2b(msgspec.json.encode(signature.to_json())).digest()


def _refuse(batch: Batch) -> NoReturn:
    raise RunFailed(CLOSED)
