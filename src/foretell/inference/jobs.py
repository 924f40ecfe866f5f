"""What runs inside locked children. Imported by the sandbox's preloaded parent only; see `building` for who asks.

Each function takes and returns msgpack types. After "convert" has opened an artifact, its process belongs to the
artifact's author: that is why "check" runs in a fresh one, and why `building` believes neither.
"""

from collections.abc import Callable, Mapping
from typing import Any

from foretell.inference.conversion import convert
from foretell.inference.conversion.estimators import as_estimator
from foretell.inference.conversion.preparing import parts
from foretell.inference.errors import RunFailed
from foretell.inference.examples import Examples
from foretell.inference.formats import File, load_artifact
from foretell.inference.graph_checks import check_graph
from foretell.inference.runtimes import Runtime
from foretell.inference.runtimes.estimator import EstimatorRuntime
from foretell.inference.runtimes.onnx import OnnxRuntime
from foretell.inference.sandbox.preloading import DEFAULT_PRELOAD
from foretell.inference.signature import Signature
from foretell.inference.wire import pack_predictions, unpack_batch

Payload = dict[str, Any]

# A locked child cannot import what its parent has not: our own modules that are imported late belong here too.
PRELOAD = (
    *DEFAULT_PRELOAD,
    "foretell.inference.conversion.*",
    "foretell.inference.graph_checks.*",
    "foretell.inference.runtimes.*",
)


def convert_artifact(payload: Payload) -> Payload:
    """Open an artifact and convert it: {"files", "sample", "target", "refinements", "accept_difference"}."""
    converted = convert(
        load_artifact(_files(payload)),
        payload.get("sample"),
        target=payload.get("target"),
        refinements=payload.get("refinements"),
        accept_difference=payload.get("accept_difference"),
    )
    return {"converted": converted.to_json(), "graph": converted.graph}


def check_model(payload: Payload) -> Payload:
    """Load what is to be served and answer its examples: {"runtime", "signature", "examples", "graph" or "files"}."""
    signature = Signature.from_json(payload["signature"])
    examples = Examples.from_json(payload["examples"], signature)
    runtime = _opened(payload, signature)
    return {"answers": pack_predictions(runtime.run(examples.batch))}


def run_server(payload: Payload) -> Callable[[Payload], Payload]:
    """Open an estimator once, {"files", "signature"}, and answer {"batch"} after {"batch"} with it."""
    signature = Signature.from_json(payload["signature"])
    runtime = _opened({**payload, "runtime": "python"}, signature)

    def answer(call: Payload) -> Payload:
        return {"answers": pack_predictions(runtime.run(unpack_batch(signature, call["batch"])))}

    return answer


JOBS: Mapping[str, Callable[[Payload], Payload]] = {"convert": convert_artifact, "check": check_model}
SERVERS: Mapping[str, Callable[[Payload], Callable[[Payload], Payload]]] = {"run": run_server}


def _opened(payload: Payload, signature: Signature) -> Runtime:
    if payload["runtime"] == "onnx":
        check_graph(payload["graph"])
        return OnnxRuntime(payload["graph"], signature)
    estimator = as_estimator(load_artifact(_files(payload)))
    if isinstance(estimator, bytes):
        raise RunFailed("An ONNX graph is served by the onnx runtime only.")
    return EstimatorRuntime(_on_one_thread(estimator), signature)


def _on_one_thread(estimator: Any) -> Any:
    """Keep a forest from starting threads for each row: a pool costs many times the prediction."""
    for part in parts(estimator):
        if getattr(part, "n_jobs", None) not in (None, 1):
            part.n_jobs = 1
    return estimator


def _files(payload: Payload) -> list[File]:
    return [(file["name"], file["data"]) for file in payload["files"]]
