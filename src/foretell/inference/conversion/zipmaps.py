"""Takes ZipMaps off a graph: they turn a matrix of probabilities into a dict per row, slowly and for no one here."""

from typing import Any


def without_zipmaps(model: Any, *, is_double: bool = False) -> list[list[int | str]]:
    """Remove each ZipMap of `model` in place, its input becoming the output; return the classes they named."""
    graph = model.graph
    zipmaps = [node for node in graph.node if node.op_type == "ZipMap"]
    for node in zipmaps:
        graph.node.remove(node)
        _rename_output(graph, node.output[0], node.input[0], is_double=is_double)
    return [_classes(node) for node in zipmaps]


def _rename_output(graph: Any, old: str, new: str, *, is_double: bool) -> None:
    from onnx import TensorProto, helper

    kind = TensorProto.DOUBLE if is_double else TensorProto.FLOAT
    for position, output in enumerate(graph.output):
        if output.name == old:
            graph.output.remove(output)
            graph.output.insert(position, helper.make_tensor_value_info(new, kind, None))


def _classes(node: Any) -> list[int | str]:
    for attribute in node.attribute:
        if attribute.name == "classlabels_int64s":
            return list(attribute.ints)
        if attribute.name == "classlabels_strings":
            return [word.decode("utf-8") for word in attribute.strings]
    return []
