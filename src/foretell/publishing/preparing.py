"""What of a model travels to the server: its graph, where that is exact, or the model's own files."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from foretell.errors import shortened
from foretell.publishing.errors import CannotPush, MissingExtra
from foretell.publishing.samples import Sample, table_of

if TYPE_CHECKING:
    from foretell.inference.converted import ConvertedModel

File = tuple[str, bytes]

GRAPH_NAME = "model.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the author says about the conversion."""

    target: str | None = None
    refinements: Mapping[str, Any] = field(default_factory=dict)
    accept_difference: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is uploaded.

    sample : None where the conversion, made here, has taken from it what the server needs.
    converted : what the conversion found, as JSON; None where the server converts.
    note : for the author, why this and not the other; may be empty.
    """

    files: tuple[File, ...]
    sample: bytes | None = None
    converted: Mapping[str, Any] | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def prepare_model(handed_over: Any, sample: Sample | None, options: Options) -> Parcel:
    """Convert an estimator, a list of steps, or the bytes of an ONNX graph here, where it was made.

    Raises
    ------
    MissingExtra
        names the package that converting needs.
    ArtifactError, InvalidSignature
        say what is wrong with the model, the sample or the refinements.
    """
    try:
        from foretell.inference.conversion import convert
    except ModuleNotFoundError as err:
        raise MissingExtra(err.name or "scikit-learn") from err
    if hasattr(handed_over, "SerializeToString"):  # onnx.ModelProto
        handed_over = handed_over.SerializeToString()
    converted = convert(
        handed_over,
        table_of(sample),
        target=options.target,
        refinements=dict(options.refinements) or None,
        accept_difference=options.accept_difference,
    )
    if converted.graph is not None:
        return as_graph(converted)
    return Parcel(
        files=dumped(handed_over),
        sample=sample.csv if sample else None,
        libraries=converted.libraries,
        note=converted.reason,
    )


def as_graph(converted: "ConvertedModel") -> Parcel:
    """Return what travels of an exact conversion: no pickle, and none of the sample but its examples."""
    return Parcel(
        files=((GRAPH_NAME, converted.graph or b""),),
        converted=converted.to_json(),
        libraries=converted.libraries,
        note=converted.reason,
    )


def dumped(handed_over: Any) -> tuple[File, ...]:
    """Return the estimator as a joblib file; of a list of steps one file each, in their order."""
    if not isinstance(handed_over, (list, tuple)):
        return (("model.joblib", _dump(handed_over)),)
    return tuple((f"step-{position}.joblib", _dump(step)) for position, step in enumerate(handed_over, start=1))


def as_they_are(files: Sequence[File], sample: Sample | None, note: str = "") -> Parcel:
    return Parcel(files=tuple(files), sample=sample.csv if sample else None, note=note)


def _dump(estimator: Any) -> bytes:
    import joblib

    buffer = io.BytesIO()
    try:
        joblib.dump(estimator, buffer, compress=3)
    except Exception as err:  # each object in it may refuse in its own way
        raise CannotPush(
            f"{type(estimator).__name__} cannot be saved: {shortened(str(err), 300)}. Lambdas, local functions and open files do not "
            "travel: use functions of an installed package or scikit-learn's own transformers, or export the model to ONNX."
        ) from err
    return buffer.getvalue()
