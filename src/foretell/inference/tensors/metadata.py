"""What a signature says, as the metadata of tensors."""

from typing import Any

from foretell.inference.columns import has_numbers
from foretell.inference.signature import DType, Input, Signature
from foretell.inference.tensors.contents import DATETIME, STRING
from foretell.inference.tensors.datatypes import BOOL, BYTES, FP64, INT64, Datatype
from foretell.inference.tensors.outputs import output_tensors

ANY = -1  # a dimension of whatever size


def input_datatype(source: Input) -> Datatype:
    """Return the datatype that says most of an input; others of its kind are taken too."""
    if source.dtype is DType.FLOAT:
        return FP64
    if source.dtype is DType.INT:
        return INT64
    if source.dtype is DType.BOOL:
        return BOOL
    if has_numbers(source):
        return INT64 if all(type(label) is int for label in source.categories) else FP64
    return BYTES


def input_metadata(signature: Signature) -> list[dict[str, Any]]:
    return [_input(source) for source in signature.inputs]


def _input(source: Input) -> dict[str, Any]:
    datatype = input_datatype(source)
    described: dict[str, Any] = {"name": source.name, "datatype": datatype.name, "shape": [ANY]}
    if datatype is BYTES:
        described["parameters"] = {"content_type": DATETIME if source.dtype is DType.DATETIME else STRING}
    return described


def output_metadata(signature: Signature) -> list[dict[str, Any]]:
    return [
        {"name": tensor.name, "datatype": tensor.datatype.name, "shape": [ANY, tensor.width] if tensor.width else [ANY]}
        for tensor in output_tensors(signature)
    ]
