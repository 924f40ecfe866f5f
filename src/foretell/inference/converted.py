"""What conversion makes of an estimator, and what travels from the author's process to the server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from foretell.inference.errors import InvalidSignature
from foretell.inference.examples import Examples
from foretell.inference.parity import Parity
from foretell.inference.signature import Signature

RuntimeName = Literal["onnx", "python"]

_KEYS = {"runtime", "signature", "parity", "examples", "libraries", "reason"}
_MAX_LIBRARIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedModel:
    """An estimator's graph, where it has an exact one, with all that a version stores about it.

    runtime : "onnx": `graph` answers as the estimator does; "python": only the estimator itself does.
    graph : the serialised graph; None for the python runtime.
    parity : what comparing the graph with the estimator found.
    examples : rows of the sample with the estimator's own answers.
    libraries : name and version of what the estimator was made with.
    reason : why this runtime, in a sentence for the author.
    """

    runtime: RuntimeName
    graph: bytes | None
    signature: Signature
    parity: Parity
    examples: Examples
    libraries: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return everything but the graph's bytes as plain JSON types."""
        return {
            "runtime": self.runtime,
            "signature": self.signature.to_json(),
            "parity": self.parity.to_json(),
            "examples": self.examples.to_json(),
            "libraries": dict(self.libraries),
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, data: Any, *, graph: bytes | None) -> "ConvertedModel":
        """Read what `to_json` wrote, checking every value: it may come from a sandboxed child or a client.

        Raises
        ------
        InvalidSignature, ParityFailed
            say what was found and what is allowed.
        """
        if not isinstance(data, Mapping) or set(data) != _KEYS:
            raise InvalidSignature(f"A converted model has {', '.join(sorted(_KEYS))}.")
        if data["runtime"] not in ("onnx", "python") or (data["runtime"] == "onnx") != (graph is not None):
            raise InvalidSignature("A converted model has the runtime 'onnx' and a graph, or 'python' and none.")
        signature = Signature.from_json(data["signature"])
        return cls(
            runtime=data["runtime"],
            graph=graph,
            signature=signature,
            parity=Parity.from_json(data["parity"]),
            examples=Examples.from_json(data["examples"], signature),
            libraries=_checked_libraries(data["libraries"]),
            reason=_checked_reason(data["reason"]),
        )


def _checked_libraries(data: Any) -> dict[str, str]:
    if not isinstance(data, Mapping) or len(data) > _MAX_LIBRARIES:
        raise InvalidSignature(f"Libraries are an object of at most {_MAX_LIBRARIES} names and versions.")
    for name, version in data.items():
        if not (isinstance(name, str) and isinstance(version, str) and len(name) <= 100 and len(version) <= 100):
            raise InvalidSignature("A library has a name and a version of at most 100 characters each.")
    return dict(data)


def _checked_reason(reason: Any) -> str:
    if not isinstance(reason, str) or len(reason) > 2_000 or "\x00" in reason:
        raise InvalidSignature("The reason is a text of at most 2,000 characters.")
    return reason
