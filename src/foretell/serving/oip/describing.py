"""A model's metadata, from its signature."""

from typing import Any

import msgspec

from foretell.inference.signature import Signature
from foretell.inference.tensors.metadata import input_metadata, output_metadata
from foretell.inference.tensors.outputs import output_tensors
from foretell.serving.catalogue import Model, Version

PLATFORMS = {"onnx": "onnxruntime_onnx"}


def model_metadata(model: Model, version: Version, signature: Signature) -> dict[str, Any]:
    return {
        "name": model.name,
        "versions": [str(number) for number, known in sorted(model.versions.items()) if known.is_ready],
        "platform": PLATFORMS.get(version.runtime, version.runtime),
        "inputs": input_metadata(signature),
        "outputs": output_metadata(signature),
        "properties": _properties(version, signature),
    }


def _properties(version: Version, signature: Signature) -> dict[str, str]:
    """Return what is not a tensor, as texts: the version that is described, the task, and the classes in their order."""
    classes = {tensor.name: list(tensor.classes) for tensor in output_tensors(signature) if tensor.classes}
    properties = {"version": str(version.number), "task": signature.task.value}
    return properties | {f"classes_{name}": msgspec.json.encode(labels).decode() for name, labels in classes.items()}
