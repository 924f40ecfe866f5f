"""How the tensors that a graph answers become the signature's outputs.

A reader is chosen once, when the graph is loaded; `Reader.read` then runs for every prediction.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from foretell.inference.batch import Array, OutputValues, Predictions
from foretell.inference.errors import UnsupportedModel
from foretell.inference.labels import as_labels, label_dtype
from foretell.inference.runtimes.graph_inputs import Tensor
from foretell.inference.signature import Output, Signature, Task

_LABEL_TYPES = ("tensor(int64)", "tensor(int32)", "tensor(string)", "tensor(bool)")
_NUMBER_TYPES = ("tensor(float)", "tensor(double)", "tensor(int64)", "tensor(int32)", "tensor(bool)")
_PLAIN_LABELS = (("tensor(string)", object), ("tensor(int64)", np.int64), ("tensor(bool)", np.bool_))
_FLOAT_TYPES = ("tensor(float)", "tensor(double)")


class Reader(Protocol):
    fetches: list[str]  #: the graph outputs to ask for

    def read(self, results: Sequence[Array], n_rows: int) -> Predictions: ...


class NumbersReader:
    """Regression and transforms: the columns of one matrix are the outputs."""

    def __init__(self, tensor: Tensor, outputs: Sequence[Output]) -> None:
        self.fetches = [tensor.name]
        self._names = [output.name for output in outputs]

    def read(self, results: Sequence[Array], n_rows: int) -> Predictions:
        matrix = np.asarray(results[0], dtype=np.float64).reshape(n_rows, len(self._names))
        return Predictions(
            {name: OutputValues(matrix[:, position]) for position, name in enumerate(self._names)}, n_rows
        )


class LabelsReader:
    """One output of labels, with or without a probability for each class."""

    def __init__(self, output: Output, labels: Tensor, scores: Tensor | None) -> None:
        self.fetches = [labels.name] + ([scores.name] if scores is not None else [])
        self._output = output
        self._is_plain = len(labels.shape) == 1 and (labels.type, label_dtype(output.classes)) in _PLAIN_LABELS

    def read(self, results: Sequence[Array], n_rows: int) -> Predictions:
        labels = results[0] if self._is_plain else as_labels(results[0], self._output.classes)
        scores = _both_classes(results[1], self._output, n_rows) if len(results) > 1 else None
        return Predictions({self._output.name: OutputValues(labels, scores)}, n_rows)


class ScoresReader:
    """One output whose label is the class of the highest score: graphs that end in a softmax."""

    def __init__(self, output: Output, scores: Tensor) -> None:
        self.fetches = [scores.name]
        self._output = output
        self._classes = np.array(output.classes, dtype=label_dtype(output.classes))

    def read(self, results: Sequence[Array], n_rows: int) -> Predictions:
        scores = _both_classes(results[0], self._output, n_rows)
        labels = self._classes[scores.argmax(axis=1)]
        return Predictions(
            {self._output.name: OutputValues(labels, scores if self._output.probabilities else None)}, n_rows
        )


class LabelMatrixReader:
    """Several outputs of labels: the columns of one matrix, and a block of probabilities for each."""

    def __init__(self, outputs: Sequence[Output], labels: Tensor, scores: Tensor | None) -> None:
        self.fetches = [labels.name] + ([scores.name] if scores is not None else [])
        self._outputs = outputs

    def read(self, results: Sequence[Array], n_rows: int) -> Predictions:
        matrix = np.asarray(results[0]).reshape(n_rows, len(self._outputs))
        answers = {}
        for position, output in enumerate(self._outputs):
            scores = np.asarray(results[1][position], dtype=np.float64) if len(results) > 1 else None
            answers[output.name] = OutputValues(as_labels(matrix[:, position], output.classes), scores)
        return Predictions(answers, n_rows)


def reader_for(tensors: Sequence[Tensor], signature: Signature) -> Reader:
    """Choose what reads the graph's outputs as the signature's.

    Raises
    ------
    UnsupportedModel
        when the graph does not answer what the signature promises.
    """
    outputs = signature.outputs
    if all(output.task in (Task.REGRESSION, Task.TRANSFORM) for output in outputs):
        return NumbersReader(_numbers(tensors, len(outputs)), outputs)
    if len(outputs) > 1:
        return LabelMatrixReader(outputs, _labels(tensors, len(outputs)), _blocks(tensors, outputs))
    return _single_label_reader(tensors, outputs[0])


def _single_label_reader(tensors: Sequence[Tensor], output: Output) -> Reader:
    scores = next((tensor for tensor in tensors if tensor.type in _FLOAT_TYPES and _holds_scores(tensor, output)), None)
    if output.probabilities and scores is None:
        raise _mismatch(tensors, f"a probability for each of the {len(output.classes)} classes of {output.name!r}")
    labels = next((tensor for tensor in tensors if tensor.type in _LABEL_TYPES and _width(tensor) in (1, None)), None)
    if labels is not None:
        return LabelsReader(output, labels, scores if output.probabilities else None)
    if scores is None:
        raise _mismatch(tensors, f"the label {output.name!r}")
    return ScoresReader(output, scores)


def _holds_scores(tensor: Tensor, output: Output) -> bool:
    width, n_classes = _width(tensor), len(output.classes)
    return n_classes > 1 and (width in (n_classes, None) or (n_classes == 2 and width == 1))


def _both_classes(scores: Any, output: Output, n_rows: int) -> Array:
    """Complete a lone probability of the second class by that of the first."""
    matrix = np.asarray(scores, dtype=np.float64)
    if matrix.ndim != 2:
        matrix = matrix.reshape(n_rows, -1)
    if matrix.shape[1] == 1 and len(output.classes) == 2:
        return np.hstack([1.0 - matrix, matrix])
    return matrix


def _numbers(tensors: Sequence[Tensor], width: int) -> Tensor:
    for tensor in tensors:
        if tensor.type in _NUMBER_TYPES and _width(tensor) in (width, None):
            return tensor
    raise _mismatch(tensors, f"a matrix of {width} numbers a row")


def _labels(tensors: Sequence[Tensor], width: int) -> Tensor:
    for tensor in tensors:
        if tensor.type in _LABEL_TYPES and _width(tensor) in (width, None):
            return tensor
    raise _mismatch(tensors, f"a matrix of {width} labels a row")


def _blocks(tensors: Sequence[Tensor], outputs: Sequence[Output]) -> Tensor | None:
    if not any(output.probabilities for output in outputs):
        return None
    for tensor in tensors:
        if tensor.type in _FLOAT_TYPES and len(tensor.shape) == 3:
            return tensor
    raise _mismatch(tensors, "a block of probabilities for each output")


def _width(tensor: Tensor) -> int | None:
    """How many numbers the tensor has for a row; None where the graph does not say."""
    if len(tensor.shape) == 1:
        return 1
    width = tensor.shape[1] if len(tensor.shape) == 2 else None
    return width if isinstance(width, int) else None


def _mismatch(tensors: Sequence[Tensor], wanted: str) -> UnsupportedModel:
    found = "; ".join(f"{tensor.name} {tensor.type} {list(tensor.shape)}" for tensor in tensors[:8])
    return UnsupportedModel(f"The signature promises {wanted}, but the graph answers {found}.")
