"""Runs a checked ONNX graph in this process. Imports onnxruntime and numpy, and nothing that trains or converts."""

from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from foretell.errors import shortened
from foretell.inference.batch import Batch, Predictions
from foretell.inference.errors import RunFailed, UnreadableArtifact
from foretell.inference.runtimes.graph_inputs import feeds_for
from foretell.inference.runtimes.graph_outputs import reader_for
from foretell.inference.signature import Signature

# Security: onnxruntime resolves external data of a graph from memory against the working directory. Graphs with
# external data never pass `graph_checks`; should one arrive here all the same, it finds nothing under this path.
_NO_SUCH_FOLDER = "/nonexistent/foretell"
_FATAL_ONLY = 4

# onnxruntime's own errors have no common base but Exception.
_OWN_ERRORS = (kind for kind in vars(ort_errors).values() if isinstance(kind, type) and issubclass(kind, Exception))
ORT_ERRORS: tuple[type[Exception], ...] = (*_OWN_ERRORS, RuntimeError, ValueError)


class OnnxRuntime:
    """A graph in memory, called with the columns of its signature. Safe to call from several threads.

    Parameters
    ----------
    graph
        A serialised ModelProto that `graph_checks.check_graph` has passed.
    threads : int, default=1
        Threads that one run may use. One is fastest for small batches, and keeps models out of each other's way.

    Raises
    ------
    UnreadableArtifact
        when onnxruntime cannot load the graph.
    UnsupportedModel
        when the graph does not take or answer what the signature says.
    """

    name = "onnx"

    def __init__(self, graph: bytes, signature: Signature, *, threads: int = 1) -> None:
        session = open_session(graph, threads=threads)
        self._feeds = feeds_for(session.get_inputs(), signature)
        self._reader = reader_for(session.get_outputs(), signature)
        self._fetches = self._reader.fetches
        # Optimization: the session's own `run` looks at names that were looked at here, which takes as long as a tree.
        self._run: Any = getattr(session, "_sess", session).run

    def run(self, batch: Batch) -> Predictions:
        run = self._run
        if run is None:
            raise RunFailed("This model version was closed.")
        feed = {feed.name: feed.fill(batch) for feed in self._feeds}
        try:
            results = run(self._fetches, feed, None)
        except ORT_ERRORS as error:
            raise RunFailed(f"The model gave up on these rows: {shortened(str(error), 500)}") from None
        return self._reader.read(results, batch.n_rows)

    def close(self) -> None:
        self._run = None


def open_session(graph: bytes, *, threads: int = 1) -> Any:
    """Load a graph from memory: sequential, on `threads` threads, and without any file beside it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads must not spin, and an arena per session would keep the largest batch's memory for good.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Fusions beyond the basic ones keep factors as float32 attributes (MatMulScaleFusion), in float64 graphs too.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", _NO_SUCH_FOLDER)
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except ORT_ERRORS as error:
        raise UnreadableArtifact(f"onnxruntime cannot load this graph: {shortened(str(error), 500)}") from None
