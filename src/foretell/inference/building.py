"""From uploaded files to what is stored and served. The trusted side: it opens nothing and believes no one.

A first locked child opens the artifact and converts it. From then on that process is its author's, so its whole answer
is parsed strictly, and a second, fresh child loads what is to be served and answers the examples; the comparison with
the author's own answers is made here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from foretell.inference.artifacts import packed_files
from foretell.inference.converted import ConvertedModel, RuntimeName
from foretell.inference.errors import JobCrashed, ParityFailed, UnreadableArtifact
from foretell.inference.examples import Examples
from foretell.inference.formats import MAX_FILES, File, Format, sniff
from foretell.inference.parity import Parity, compare
from foretell.inference.sandbox.limits import Limits
from foretell.inference.signature import Signature
from foretell.inference.wire import unpack_predictions

if TYPE_CHECKING:
    from foretell.inference.sandbox import Sandbox

CONVERSION_LIMITS = Limits(cpu_s=60, wall_s=90.0)  # a forest of 500 deep trees takes some 20 s


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What the author says beside the files; see `conversion.convert`.

    converted : what the author's own environment made of the estimator, `ConvertedModel.to_json()`; the one file is
        then the graph. None when a raw artifact was uploaded.
    """

    target: str | None = None
    refinements: Mapping[str, Any] = field(default_factory=dict)
    accept_difference: float | None = None
    converted: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltModel:
    """A version that is ready to be stored and served; `artifacts.load_model` opens `artifact` again."""

    runtime: RuntimeName
    artifact: bytes
    signature: Signature
    parity: Parity
    examples: Examples
    libraries: Mapping[str, str]
    reason: str


def build(
    sandbox: "Sandbox", *, files: Sequence[File], sample: bytes | None = None, options: BuildOptions | None = None
) -> BuiltModel:
    """Convert where needed, check, and return what to store.

    Raises
    ------
    ArtifactError, InvalidSignature
        the files, the sample or the claims about them cannot be used; with the way out.
    SandboxError
        the sandbox is not there, or the job in it did not come to its end.
    """
    options = options or BuildOptions()
    formats = _sniffed(files)
    if options.converted is not None:
        model = _claimed(files, formats, options.converted)
    else:
        model = _converted(sandbox, files, sample, options)
    _check(sandbox, model, files, options)
    return BuiltModel(
        runtime=model.runtime,
        artifact=model.graph if model.graph is not None else packed_files(files),
        signature=model.signature,
        parity=model.parity,
        examples=model.examples,
        libraries=model.libraries,
        reason=model.reason,
    )


def _sniffed(files: Sequence[File]) -> list[Format]:
    if not 1 <= len(files) <= MAX_FILES:
        raise UnreadableArtifact(
            f"An artifact is 1 to {MAX_FILES} files, in the order in which rows go through them; {len(files)} were sent."
        )
    return [sniff(name, data) for name, data in files]


def _claimed(files: Sequence[File], formats: list[Format], claims: Mapping[str, Any]) -> ConvertedModel:
    """Read the author's own conversion, which comes with its graph."""
    if claims.get("runtime") != "onnx" or formats != [Format.ONNX]:
        raise UnreadableArtifact(
            "A model converted by its author comes as one ONNX file, with the runtime 'onnx'; anything else is sent as it is."
        )
    return ConvertedModel.from_json(claims, graph=files[0][1])


def _converted(
    sandbox: "Sandbox", files: Sequence[File], sample: bytes | None, options: BuildOptions
) -> ConvertedModel:
    task = {
        "files": _as_payload(files),
        "sample": sample,
        "target": options.target,
        "refinements": dict(options.refinements),
        "accept_difference": options.accept_difference,
    }
    answer = sandbox.run("convert", task, limits=CONVERSION_LIMITS)
    graph = answer.get("graph")
    if set(answer) != {"converted", "graph"} or not (graph is None or isinstance(graph, bytes)):
        raise JobCrashed("The conversion's answer is broken: a converted model and its graph were expected.")
    return ConvertedModel.from_json(answer["converted"], graph=graph)


def _check(sandbox: "Sandbox", model: ConvertedModel, files: Sequence[File], options: BuildOptions) -> None:
    """Load and run what will be served, in a fresh child, and hold its answers against the author's."""
    served = {"graph": model.graph} if model.graph is not None else {"files": _as_payload(files)}
    claims = {"runtime": model.runtime, "signature": model.signature.to_json(), "examples": model.examples.to_json()}
    answer = sandbox.run("check", {**claims, **served})
    found = compare(
        model.examples.answers, unpack_predictions(model.signature, answer.get("answers"), n_rows=len(model.examples))
    )
    if not found.is_within(options.accept_difference):
        raise ParityFailed(
            f"Loaded again, the model does not answer its {len(model.examples)} examples as its author did: {found.reason}."
        )


def _as_payload(files: Sequence[File]) -> list[dict[str, Any]]:
    return [{"name": name, "data": data} for name, data in files]
