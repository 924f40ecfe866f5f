"""Walks over a graph once, in its own order, and stops at the first thing that is not allowed."""

from typing import Any

import numpy as np

from foretell.inference.errors import UnreadableArtifact, UnsafeGraph
from foretell.inference.graph_checks.ensembles import check_operator
from foretell.inference.graph_checks.limits import MAX_ATTRIBUTES_PER_NODE, MAX_GRAPH_BYTES, MAX_NODES, MAX_OPSET
from foretell.inference.graph_checks.operators import ALLOWED, HEAVY, MAKES_SHAPE
from foretell.inference.graph_checks.shapes import Shapes
from foretell.inference.graph_checks.tensors import check_input, check_output, check_tensor

_NUMBERS = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}  # AttributeProto.AttributeType


def check_graph(graph: bytes) -> None:
    """Check a serialised ModelProto.

    Raises
    ------
    UnreadableArtifact
        when these bytes are no ONNX graph.
    UnsafeGraph
        names the node, tensor or input, what it has, and what is possible.
    """
    if len(graph) > MAX_GRAPH_BYTES:
        raise UnsafeGraph(f"The graph has {len(graph):,} bytes; the limit is {MAX_GRAPH_BYTES:,}.")
    model = _parsed(graph)
    _check_model(model)
    _check_names(model.graph)
    for value in _true_inputs(model.graph):
        check_input(value)
    for value in model.graph.output:
        check_output(value)
    _check_nodes(model.graph)


def _parsed(graph: bytes) -> Any:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto.FromString(graph)
    except DecodeError:
        raise UnreadableArtifact("This is no ONNX graph, or a damaged one: it cannot be parsed.") from None
    if not model.HasField("graph") or not model.graph.node:
        raise UnreadableArtifact("This is no ONNX graph, or an empty one: it has no nodes.")
    return model


def _check_model(model: Any) -> None:
    for field, what in (("functions", "functions of its own"), ("training_info", "training information")):
        if len(getattr(model, field, ())):
            raise UnsafeGraph(f"The graph has {what}; export it for inference, with the operators of ONNX alone.")
    for opset in model.opset_import:
        domain = "" if opset.domain == "ai.onnx" else opset.domain
        if domain not in MAX_OPSET:
            raise UnsafeGraph(f"The graph uses operators of {opset.domain!r}; possible are ONNX's own and ai.onnx.ml.")
        if not 1 <= opset.version <= MAX_OPSET[domain]:
            raise UnsafeGraph(
                f"The graph uses opset {opset.version} of {opset.domain or 'ai.onnx'!r}; the newest known is {MAX_OPSET[domain]}."
            )
    if len(model.graph.sparse_initializer):
        raise UnsafeGraph("The graph has sparse tensors; export it with dense ones.")
    if len(model.graph.node) > MAX_NODES:
        raise UnsafeGraph(f"The graph has {len(model.graph.node):,} nodes; the limit is {MAX_NODES:,}.")


def _true_inputs(graph: Any) -> list[Any]:
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    if not inputs:
        raise UnsafeGraph("The graph takes no input.")
    return inputs


def _check_names(graph: Any) -> None:
    """Check that every value is made once, and before it is used: so there is no cycle among the nodes."""
    made = {tensor.name for tensor in graph.initializer} | {value.name for value in graph.input} | {""}
    for node in graph.node:
        for name in node.input:
            if name not in made:
                raise UnsafeGraph(f"The node {node.op_type} takes {name!r:.100}, which nothing before it makes.")
        for name in node.output:
            if name and name in made:
                raise UnsafeGraph(f"The value {name!r:.100} is made twice.")
        made.update(node.output)
    for value in graph.output:
        if value.name not in made:
            raise UnsafeGraph(f"The output {value.name!r:.100} is made by no node.")


def _check_nodes(graph: Any) -> None:
    shapes = Shapes()
    for tensor in graph.initializer:
        check_tensor(tensor, f"The tensor {tensor.name!r:.100}")
        shapes.add_tensor(tensor.name, tensor)
    for node in graph.node:
        where = f"The node {node.op_type} {node.name!r:.60}"
        _check_allowed(node, where)
        attributes = {attribute.name: _value(attribute, where) for attribute in node.attribute}
        check_operator(node.op_type, attributes, where)
        shapes.add_node(node, where, is_heavy=node.op_type in HEAVY, shape_position=MAKES_SHAPE.get(node.op_type))


def _check_allowed(node: Any, where: str) -> None:
    domain = "" if node.domain == "ai.onnx" else node.domain
    if node.op_type not in ALLOWED.get(domain, frozenset()):
        raise UnsafeGraph(
            f"The graph has the operator {node.domain or 'ai.onnx'}.{node.op_type}, which is not on the list of those that may be served."
        )
    if len(node.attribute) > MAX_ATTRIBUTES_PER_NODE:
        raise UnsafeGraph(f"{where} has {len(node.attribute)} attributes; the limit is {MAX_ATTRIBUTES_PER_NODE}.")
    if len({attribute.name for attribute in node.attribute}) != len(node.attribute):
        raise UnsafeGraph(f"{where} has an attribute twice.")


def _value(attribute: Any, where: str) -> Any:
    """Return an attribute as numpy arrays and plain values; graphs and sparse tensors within a node are refused."""
    if attribute.ref_attr_name or attribute.type not in _NUMBERS:
        raise UnsafeGraph(
            f"{where} has the attribute {attribute.name!r:.60}, which holds a graph, a sparse tensor or a reference."
        )
    value = getattr(attribute, _NUMBERS[attribute.type])
    if attribute.type == 4:
        check_tensor(value, f"{where}, attribute {attribute.name!r:.60},")
        return _as_array(value)
    if attribute.type in (6, 7):
        return np.array(value, dtype=np.float64 if attribute.type == 6 else np.int64)
    return list(value) if attribute.type == 8 else value


def _as_array(tensor: Any) -> Any:
    from onnx import numpy_helper

    return numpy_helper.to_array(tensor).reshape(-1)
