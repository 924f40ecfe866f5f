"""An ONNX graph as it came: its signature from its own inputs and outputs, and from the sample where there is one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foretell.inference.conversion.neighbours import made_up
from foretell.inference.conversion.samples import sample_batch
from foretell.inference.conversion.zipmaps import without_zipmaps
from foretell.inference.converted import ConvertedModel
from foretell.inference.errors import SampleMismatch, UnreadableArtifact, UnsupportedModel
from foretell.inference.examples import MAX_EXAMPLES, Examples
from foretell.inference.graph_checks import check_graph
from foretell.inference.parity import Parity
from foretell.inference.refining import refine
from foretell.inference.runtimes.graph_inputs import Tensor
from foretell.inference.runtimes.onnx import OnnxRuntime, open_session
from foretell.inference.signature import QUANTILES, DType, Input, Label, Output, Scalar, Signature, Task

_DTYPES = {
    "tensor(float)": DType.FLOAT,
    "tensor(double)": DType.FLOAT,
    "tensor(int64)": DType.INT,
    "tensor(int32)": DType.INT,
    "tensor(bool)": DType.BOOL,
    "tensor(string)": DType.STRING,
}
# onnx writes the newest version of its file format, which onnxruntime follows later; graphs of tables use nothing new.
_NEWEST_IR = 13
_FLOATS = ("tensor(float)", "tensor(double)")
_LABELS = ("tensor(int64)", "tensor(int32)", "tensor(string)", "tensor(bool)")


def convert_graph(
    graph: bytes, sample: Any, *, target: str | None, refinements: Mapping[str, Any] | None
) -> ConvertedModel:
    """Take a graph as it is: nothing is converted, so its own answers are the author's.

    Raises
    ------
    UnsafeGraph, UnreadableArtifact, UnsupportedModel, SampleMismatch
        say what was found, and what is possible.
    """
    graph, named_classes = _plain(graph)
    check_graph(graph)
    signature = signature_of_graph(graph, sample, target=target, named_classes=named_classes)
    if refinements:
        signature = refine(signature, refinements)
    rows = (
        made_up(signature, n_rows=MAX_EXAMPLES)
        if sample is None
        else sample_batch(signature, sample, max_rows=MAX_EXAMPLES)
    )
    answers = OnnxRuntime(graph, signature).run(rows)
    return ConvertedModel(
        runtime="onnx",
        graph=graph,
        signature=signature,
        parity=Parity(rows=rows.n_rows),
        examples=Examples(rows, answers),
        libraries={},
        reason="The ONNX graph is served as it came.",
    )


def _plain(graph: bytes) -> tuple[bytes, list[list[int | str]]]:
    """Return the graph without ZipMaps, and the classes that these named."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto.FromString(graph)
    except DecodeError:
        raise UnreadableArtifact("This is no ONNX graph, or a damaged one: it cannot be parsed.") from None
    classes = without_zipmaps(model)
    is_too_new = model.ir_version > _NEWEST_IR
    model.ir_version = min(model.ir_version, _NEWEST_IR)
    return (model.SerializeToString() if classes or is_too_new else graph), classes


def signature_of_graph(
    graph: bytes, sample: Any = None, *, target: str | None = None, named_classes: Sequence[Sequence[Label]] = ()
) -> Signature:
    """Read a signature off a checked graph; ranges, examples and the names of a matrix's columns come from the sample."""
    session = open_session(graph)
    features = None if sample is None else sample.drop(columns=[target], errors="ignore")
    inputs = _inputs(session.get_inputs(), features)
    outputs = _outputs(graph, session.get_outputs(), [list(classes) for classes in named_classes])
    return Signature(inputs=tuple(inputs), outputs=tuple(outputs))


def _inputs(tensors: Sequence[Tensor], features: Any) -> list[Input]:
    columns = [(name, tensor) for tensor in tensors for name in _column_names(tensor)]
    names = [name for name, _ in columns]
    if features is not None and not set(names) <= set(features.columns):
        names = _names_by_position(names, features)
    return [_input(name, tensor, features) for name, (_, tensor) in zip(names, columns, strict=True)]


def _column_names(tensor: Tensor) -> list[str]:
    width = tensor.shape[1] if len(tensor.shape) > 1 else 1
    if not isinstance(width, int):
        raise UnsupportedModel(f"The graph's input {tensor.name!r} does not say how many columns it takes.")
    return [tensor.name] if width == 1 else [f"{tensor.name}_{position}" for position in range(width)]


def _names_by_position(names: list[str], features: Any) -> list[str]:
    """Name a matrix's columns after the sample's, which must be as many."""
    if len(features.columns) != len(names):
        found = ", ".join(str(name) for name in list(features.columns)[:20])
        raise SampleMismatch(
            f"The graph takes {len(names)} columns, but the sample has {len(features.columns)} beside the target: {found}."
        )
    return [str(name) for name in features.columns]


def _input(name: str, tensor: Tensor, features: Any) -> Input:
    dtype = _DTYPES.get(tensor.type)
    if dtype is None:
        raise UnsupportedModel(
            f"The graph's input {tensor.name!r} is a {tensor.type}; possible are {', '.join(_DTYPES)}."
        )
    if features is None or dtype is DType.BOOL:
        return Input(name=name, dtype=dtype)
    values = features[name].dropna()
    nullable = dtype is DType.FLOAT and len(values) < len(features)
    if dtype is DType.STRING or not len(values):
        return Input(name=name, dtype=dtype, nullable=nullable, example=str(values.iloc[0]) if len(values) else None)
    return _numeric_input(name, dtype, values, nullable=nullable)


def _numeric_input(name: str, dtype: DType, values: Any, *, nullable: bool) -> Input:
    try:
        numbers = values.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SampleMismatch(
            f"The graph takes {name!r} as a number, but the sample has other values: {error}"
        ) from None
    quantiles = tuple(float(number) for number in np.quantile(numbers, QUANTILES))
    middle = float(np.quantile(numbers, 0.5, method="nearest"))
    example: Scalar = int(middle) if dtype is DType.INT else middle
    return Input(
        name=name,
        dtype=dtype,
        nullable=nullable,
        range=(quantiles[0], quantiles[-1]),
        quantiles=quantiles,
        example=example,
    )


def _outputs(graph: bytes, tensors: Sequence[Tensor], named_classes: list[list[Label]]) -> list[Output]:
    labels = [tensor for tensor in tensors if tensor.type in _LABELS]
    scores = [tensor for tensor in tensors if tensor.type in _FLOATS]
    classes = named_classes[0] if named_classes else _classes_in(graph)
    if labels and (classes or scores):
        return [_classification(labels[0], scores, classes)]
    if scores and _ends_in_softmax(graph, scores[0]):
        return [_output_of_classes(classes or list(range(_width(scores[0]))), has_scores=True)]
    if scores or labels:
        return _regression((scores or labels)[0])
    raise UnsupportedModel("The graph answers neither numbers nor labels.")


def _classification(label: Tensor, scores: list[Tensor], classes: list[Label]) -> Output:
    if not classes:
        n_classes = max(2, _width(scores[0])) if scores else 0
        if label.type == "tensor(string)" or not n_classes:
            raise UnsupportedModel(
                "The graph answers labels, but does not say which ones there are. Export it with its class labels."
            )
        classes = list(range(n_classes))
    has_scores = any(_width(tensor) == len(classes) for tensor in scores)
    return _output_of_classes(classes, has_scores=has_scores)


def _output_of_classes(classes: list[Label], *, has_scores: bool) -> Output:
    return Output(
        name="prediction",
        task=Task.BINARY if len(classes) == 2 else Task.MULTICLASS,
        classes=tuple(classes),
        probabilities=has_scores,
    )


def _regression(tensor: Tensor) -> list[Output]:
    width = _width(tensor)
    if width == 1:
        return [Output(name="prediction", task=Task.REGRESSION)]
    return [Output(name=f"{tensor.name}_{position}", task=Task.REGRESSION) for position in range(width)]


def _width(tensor: Tensor) -> int:
    width = tensor.shape[1] if len(tensor.shape) > 1 else 1
    return width if isinstance(width, int) else 1


def _classes_in(graph: bytes) -> list[Label]:
    """Return the class labels that a classifier's node carries, if there is just one such node."""
    import onnx

    found: list[list[Label]] = []
    for node in onnx.ModelProto.FromString(graph).graph.node:
        for attribute in node.attribute:
            if re.fullmatch("classlabels_(int64s|ints)", attribute.name) and attribute.ints:
                found.append(list(attribute.ints))
            elif attribute.name == "classlabels_strings" and attribute.strings:
                found.append([word.decode("utf-8") for word in attribute.strings])
    return found[0] if len(found) == 1 else []


def _ends_in_softmax(graph: bytes, tensor: Tensor) -> bool:
    import onnx

    nodes = onnx.ModelProto.FromString(graph).graph.node
    return any(tensor.name in node.output and node.op_type == "Softmax" for node in nodes)
