"""Arrays as msgpack types, for the pipe between a trusted process and a locked child.

What comes back from a child may come from an attacker: every `unpack_…` checks dtype, shape and values against what
was asked for, and nothing is ever unpickled.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from foretell.inference.batch import Array, Batch, OutputValues, Predictions
from foretell.inference.columns import column_dtype
from foretell.inference.errors import JobCrashed
from foretell.inference.labels import label_dtype
from foretell.inference.signature import Output, Signature, Task


def pack_array(array: Array) -> list[Any] | dict[str, Any]:
    """Return objects as a plain list, and anything else as its bytes."""
    if array.dtype == object:
        return list(array.tolist())
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": np.ascontiguousarray(array).tobytes()}


def unpack_array(packed: Any, *, dtype: Any, shape: tuple[int, ...]) -> Array:
    """Read an array that must have this dtype and shape.

    Raises
    ------
    JobCrashed
        when it has not: the child's answer is broken.
    """
    if dtype is object:
        return _objects(packed, shape)
    expected = np.dtype(dtype)
    if not isinstance(packed, dict) or packed.get("dtype") != expected.str or packed.get("shape") != list(shape):
        raise _broken(f"an array of {expected} and shape {list(shape)} was expected")
    data = packed.get("data")
    if not isinstance(data, bytes) or len(data) != int(np.prod(shape)) * expected.itemsize:
        raise _broken("an array has more or fewer bytes than it says")
    return np.frombuffer(data, dtype=expected).reshape(shape)


def _objects(packed: Any, shape: tuple[int, ...]) -> Array:
    if not isinstance(packed, list) or len(packed) != shape[0]:
        raise _broken(f"a list of {shape[0]} values was expected")
    if not all(value is None or isinstance(value, (str, bool)) for value in packed):
        raise _broken("a list of words was expected")
    array = np.empty(len(packed), dtype=object)
    array[:] = packed
    return array


def pack_batch(batch: Batch) -> dict[str, Any]:
    return {"n_rows": batch.n_rows, "columns": {name: pack_array(column) for name, column in batch.columns.items()}}


def unpack_batch(signature: Signature, packed: Mapping[str, Any]) -> Batch:
    n_rows = packed["n_rows"]
    columns = {
        column.name: unpack_array(packed["columns"][column.name], dtype=column_dtype(column), shape=(n_rows,))
        for column in signature.inputs
    }
    return Batch(columns, n_rows)


def pack_predictions(predictions: Predictions) -> dict[str, Any]:
    return {name: _pack_values(values) for name, values in predictions.outputs.items()}


def _pack_values(values: OutputValues) -> dict[str, Any]:
    probabilities = (
        None if values.probabilities is None else pack_array(np.asarray(values.probabilities, dtype=np.float64))
    )
    return {"values": pack_array(values.values), "probabilities": probabilities}


def unpack_predictions(signature: Signature, packed: Any, *, n_rows: int, worker_s: float = 0.0) -> Predictions:
    """Read the answers to `n_rows` rows, for which a worker took `worker_s`: each output of the signature, and labels that are among its classes."""
    names = [output.name for output in signature.outputs]
    if not isinstance(packed, dict) or set(packed) != set(names):
        raise _broken(f"answers for {', '.join(names[:20])} were expected")
    return Predictions(
        {output.name: _unpack_values(output, packed[output.name], n_rows) for output in signature.outputs}, n_rows, worker_s
    )  # fmt: skip


def _unpack_values(output: Output, packed: Any, n_rows: int) -> OutputValues:
    if not isinstance(packed, dict) or set(packed) != {"values", "probabilities"}:
        raise _broken(f"values and probabilities of {output.name!r} were expected")
    values = unpack_array(packed["values"], dtype=_values_dtype(output), shape=(n_rows,))
    if output.classes and not set(values.tolist()) <= set(output.classes):
        raise _broken(f"a label of {output.name!r} is none of its classes")
    if not output.probabilities:
        return OutputValues(values)
    return OutputValues(
        values, unpack_array(packed["probabilities"], dtype=np.float64, shape=(n_rows, len(output.classes)))
    )


def _values_dtype(output: Output) -> Any:
    if output.task in (Task.REGRESSION, Task.TRANSFORM):
        return np.float64
    return label_dtype(output.classes) if output.classes else np.int64


def _broken(fault: str) -> JobCrashed:
    return JobCrashed(f"The locked worker's answer is broken: {fault}.")
