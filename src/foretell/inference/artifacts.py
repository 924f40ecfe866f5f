"""What is stored of a version, and how it becomes a model in memory again.

For the onnx runtime it is the graph. For the python runtime it is the author's file as it came, or, for a chain of
several, all of them in one msgpack list: packed and unpacked here without a look inside.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from foretell.inference.converted import RuntimeName
from foretell.inference.errors import SandboxUnavailable, UnreadableArtifact
from foretell.inference.formats import MAX_FILES, File
from foretell.inference.predicting import LoadedModel
from foretell.inference.shared_graphs import SharedGraphs
from foretell.inference.signature import Signature

if TYPE_CHECKING:
    from foretell.inference.sandbox import Sandbox

_graphs = SharedGraphs()
_MAGIC = b"FORETELL-FILES\x01"


def packed_files(files: Sequence[File]) -> bytes:
    """Return one file as it is, and several as one."""
    if len(files) == 1:
        return files[0][1]
    return _MAGIC + msgspec.msgpack.encode([list(file) for file in files])


def unpacked_files(artifact: bytes) -> list[File]:
    """Return the files that `packed_files` packed."""
    if not artifact.startswith(_MAGIC):
        return [("model", artifact)]
    try:
        files = msgspec.msgpack.decode(artifact[len(_MAGIC) :], type=list[tuple[str, bytes]])
    except msgspec.MsgspecError as error:
        raise UnreadableArtifact(f"The stored files are damaged: {error}") from None
    if len(files) > MAX_FILES:
        raise UnreadableArtifact(f"The stored artifact has {len(files)} files; at most {MAX_FILES} are possible.")
    return files


def load_model(
    *, runtime: RuntimeName, artifact: bytes, signature: Signature, sandbox: "Sandbox | None" = None
) -> LoadedModel:
    """Open a stored version for serving: a graph in this process, an estimator in a locked worker of its own.

    The caller has verified that these are the bytes which were built: nothing is checked a second time here.
    """
    if runtime == "onnx":
        return _graphs.open(artifact, signature)
    if sandbox is None:
        raise SandboxUnavailable(
            "This version runs as its author's estimator, which needs the sandbox; none is configured here."
        )
    from foretell.inference.runtimes.python import PythonRuntime

    return LoadedModel(signature, PythonRuntime(sandbox, unpacked_files(artifact), signature))
