"""Predictions as named arrays, in the names that scikit-learn's methods have and MLServer uses."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from foretell.inference.batch import Array, Predictions
from foretell.inference.codec.derived import Derived
from foretell.inference.labels import label_dtype
from foretell.inference.signature import Output, Signature, Task
from foretell.inference.tensors.datatypes import BOOL, BYTES, FP64, INT64, Datatype

PREDICT, PROBABILITIES, TRANSFORM = "predict", "predict_proba", "transform"


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """What a model answers under one name: n rows of `width` numbers or labels; a width of 0 means a shape of [n]."""

    name: str
    datatype: Datatype
    width: int
    sources: tuple[Output, ...]
    is_probability: bool = False

    def array(self, predictions: Predictions) -> Array:
        """Return the rows, of shape (n_rows,) or (n_rows, width)."""
        if self.is_probability:
            return np.asarray(predictions.outputs[self.sources[0].name].probabilities)
        columns = [predictions.outputs[source.name].values for source in self.sources]
        return np.column_stack(columns) if self.width else columns[0]

    @property
    def classes(self) -> tuple[object, ...]:
        return self.sources[0].classes if self.is_probability else ()


def output_tensors(signature: Signature) -> tuple[OutputTensor, ...]:
    """Return what a model can be asked for: ``predict`` and, with probabilities, ``predict_proba``; or ``transform``.

    A model of several outputs has both for each, with the output's name behind it.
    """
    return _output_tensors(signature)


def _made(signature: Signature) -> tuple[OutputTensor, ...]:
    if signature.task is Task.TRANSFORM:
        return (OutputTensor(TRANSFORM, FP64, len(signature.outputs), signature.outputs),)
    names: set[str] = set()
    tensors = []
    for output in signature.outputs:
        for tensor in _of_output(output, suffix="" if signature.is_scalar else f"_{output.name}"):
            name = tensor.name
            while name in names:
                name += "_"
            names.add(name)
            tensors.append(OutputTensor(name, tensor.datatype, tensor.width, tensor.sources, tensor.is_probability))
    return tuple(tensors)


_output_tensors = Derived(_made)


def _of_output(output: Output, *, suffix: str) -> Iterator[OutputTensor]:
    yield OutputTensor(PREDICT + suffix, _datatype(output), 0, (output,))
    if output.probabilities:
        yield OutputTensor(PROBABILITIES + suffix, FP64, len(output.classes), (output,), is_probability=True)


def _datatype(output: Output) -> Datatype:
    if output.task in (Task.REGRESSION, Task.TRANSFORM):
        return FP64
    if not output.classes:
        return INT64
    dtype = label_dtype(output.classes)
    return {np.bool_: BOOL, np.int64: INT64, np.float64: FP64}.get(dtype, BYTES)
