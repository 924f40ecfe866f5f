"""Checks on tensors stored in a graph, and on the shapes that a graph declares."""

import math
from typing import Any

from foretell.inference.errors import UnsafeGraph
from foretell.inference.graph_checks.limits import MAX_RANK, MAX_TENSOR_ELEMENTS, MAX_WIDTH

# TensorProto.DataType: bytes per element in raw_data, and the field that holds the elements otherwise.
_TYPES: dict[int, tuple[int, str]] = {
    1: (4, "float_data"),
    2: (1, "int32_data"),
    3: (1, "int32_data"),
    6: (4, "int32_data"),
    7: (8, "int64_data"),
    8: (0, "string_data"),
    9: (1, "int32_data"),
    11: (8, "double_data"),
}
_VALUE_TYPES = {1, 6, 7, 8, 9, 11}


def check_tensor(tensor: Any, where: str) -> int:
    """Return the number of elements of a TensorProto that holds exactly what it declares, in the graph itself."""
    # Security: onnxruntime would read the named file from the server's disk.
    if tensor.data_location or tensor.external_data:
        raise UnsafeGraph(
            f"{where} keeps its data in another file. Export the model with all tensors inside the graph."
        )
    if tensor.data_type not in _TYPES:
        raise UnsafeGraph(
            f"{where} has the element type {tensor.data_type}; possible are float, double, int32, int64, bool, uint8, int8 and string."
        )
    n_elements = _n_elements(tensor.dims, where)
    _check_length(tensor, n_elements, where)
    return n_elements


def _n_elements(dims: Any, where: str) -> int:
    if len(dims) > MAX_RANK or any(dim < 0 for dim in dims):
        raise UnsafeGraph(
            f"{where} has the shape {list(dims)[:8]}; at most {MAX_RANK} axes, none negative, are possible."
        )
    n_elements = int(math.prod(dims))
    if n_elements > MAX_TENSOR_ELEMENTS:
        raise UnsafeGraph(f"{where} has {n_elements:,} elements; the limit is {MAX_TENSOR_ELEMENTS:,}.")
    return n_elements


def _check_length(tensor: Any, n_elements: int, where: str) -> None:
    n_bytes, field = _TYPES[tensor.data_type]
    is_raw = tensor.HasField("raw_data")
    if is_raw and not n_bytes:
        raise UnsafeGraph(f"{where} holds strings as raw bytes.")
    found = len(tensor.raw_data) // n_bytes if is_raw else len(getattr(tensor, field))
    is_whole = not is_raw or len(tensor.raw_data) == n_elements * n_bytes
    if found != n_elements or not is_whole:
        raise UnsafeGraph(f"{where} declares {n_elements:,} elements and holds {found:,}.")


def check_input(value: Any) -> None:
    """Check that a graph input is a table: any number of rows, a fixed number of columns, a known type."""
    tensor = _tensor_type(value)
    dims = tensor.shape.dim
    if not tensor.HasField("shape") or len(dims) not in (1, 2):
        raise UnsafeGraph(f"The input {value.name!r} has {len(dims)} axes; a table has rows and columns.")
    if len(dims) == 2 and not 1 <= dims[1].dim_value <= MAX_WIDTH:
        raise UnsafeGraph(
            f"The input {value.name!r} does not have a fixed number of columns between 1 and {MAX_WIDTH:,}. Export the model with a fixed second axis."
        )


def check_output(value: Any) -> None:
    """Check that a graph output is a tensor of a known type and a sane declared shape."""
    dims = _tensor_type(value).shape.dim
    if len(dims) > 3 or any(dim.dim_value < 0 or dim.dim_value > MAX_TENSOR_ELEMENTS for dim in dims):
        raise UnsafeGraph(
            f"The output {value.name!r} declares the shape {[dim.dim_value or dim.dim_param for dim in dims][:8]}."
        )


def _tensor_type(value: Any) -> Any:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type" or value.type.tensor_type.elem_type not in _VALUE_TYPES:
        raise UnsafeGraph(
            f"{value.name!r} is a {kind or 'value without a type'}; possible are tensors of float, double, int32, int64, bool and string."
        )
    return value.type.tensor_type
