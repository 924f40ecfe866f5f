"""Models that come as files: which of them are opened here, inside a sandbox of their own, and which travel as they are.

A pickle runs its author's code when it is opened. So it is opened by a locked child or not at all: where this machine
has no sandbox, or not the packages, the server's sandbox opens it.
"""

from collections.abc import Sequence
from pathlib import Path

from foretell.publishing.errors import CannotPush
from foretell.publishing.preparing import File, Options, Parcel, as_graph, as_they_are
from foretell.publishing.samples import Sample


def read_files(paths: Sequence[Path]) -> list[File]:
    """Read a model's files.

    Raises
    ------
    CannotPush
        names the one that is not there, is empty, or is a directory.
    """
    return [(path.name, _content(path)) for path in paths]


def prepare_files(files: Sequence[File], sample: Sample | None, options: Options) -> Parcel:
    """Convert a raw estimator file here, if that can be done safely; anything else is for the server to look at.

    Here is where the packages are that the model was made with. It costs the seconds that a sandbox takes to start.

    Raises
    ------
    ArtifactError, InvalidSignature
        where the file is no model, or does not fit the sample: the server would say the same.
    """
    try:
        from foretell.inference.formats import Format, sniff
    except ModuleNotFoundError:
        return as_they_are(files, sample, "The server converts it: foretell[sklearn] is not installed here.")
    formats = {sniff(name, data) for name, data in files}
    if not formats <= {Format.PICKLE, Format.COMPRESSED, Format.ZIP}:
        return as_they_are(files, sample)
    return _converted_in_sandbox(files, sample, options)


def _converted_in_sandbox(files: Sequence[File], sample: Sample | None, options: Options) -> Parcel:
    from foretell.inference.building import BuildOptions, build
    from foretell.inference.converted import ConvertedModel
    from foretell.inference.errors import MissingPackage, SandboxIncomplete, SandboxUnavailable, VersionMismatch
    from foretell.inference.sandbox import spawn_sandbox

    build_options = BuildOptions(
        target=options.target, refinements=options.refinements, accept_difference=options.accept_difference
    )
    missing = _missing_layer()
    if missing is not None:
        return as_they_are(files, sample, f"The server converts it: this machine has no complete sandbox ({missing}).")
    try:
        with spawn_sandbox() as sandbox:
            built = build(sandbox, files=files, sample=sample.csv if sample else None, options=build_options)
    except (MissingPackage, VersionMismatch, SandboxIncomplete, SandboxUnavailable) as err:
        return as_they_are(files, sample, f"The server converts it, since it cannot be done here. {err.message}")
    if built.runtime != "onnx":
        return as_they_are(files, sample, built.reason)
    return as_graph(
        ConvertedModel(
            runtime="onnx",
            graph=built.artifact,
            signature=built.signature,
            parity=built.parity,
            examples=built.examples,
            libraries=built.libraries,
            reason=built.reason,
        )
    )


def _missing_layer() -> str | None:
    from foretell.inference.sandbox import layers

    return next((f"{layer.name}: {layer.detail}" for layer in layers() if layer.required and not layer.available), None)


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as err:
        raise CannotPush(f"{path} cannot be read: {err.strerror}.") from None
    if not data:
        raise CannotPush(f"{path} is empty.")
    return data
