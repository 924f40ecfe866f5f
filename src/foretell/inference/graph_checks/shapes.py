"""Follows which values of a graph are constant, and which are shapes, so that no number in it can ask for all memory."""

import math
from typing import Any

from foretell.inference.errors import UnsafeGraph
from foretell.inference.graph_checks.limits import MAX_FILLED_ELEMENTS

_MAX_SHAPE_LENGTH = 8
# What may happen to a shape on its way: each result has the numbers of its arguments, and no larger ones.
_KEEPS_NUMBERS = frozenset(
    {"Cast", "Concat", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze", "ArrayFeatureExtractor"}
)


class Shapes:
    """What is known of each value by name, in the order in which the nodes run."""

    def __init__(self) -> None:
        self._constant: set[str] = {""}
        self._numbers: dict[str, list[int]] = {}  # short integer constants
        self._row_counts: dict[
            str, int
        ] = {}  # derived from a shape of the input: how many times it may hold the number of rows

    def add_tensor(self, name: str, tensor: Any) -> None:
        self._constant.add(name)
        if tensor.data_type in (6, 7) and math.prod(tensor.dims) <= _MAX_SHAPE_LENGTH:
            from onnx import numpy_helper

            self._numbers[name] = [int(number) for number in numpy_helper.to_array(tensor).reshape(-1)]

    def add_node(self, node: Any, where: str, *, is_heavy: bool, shape_position: int | None) -> None:
        is_constant = all(name in self._constant for name in node.input)
        # Constant folding would run it at every load, however long that takes.
        if is_constant and is_heavy:
            raise UnsafeGraph(f"{where} computes with constants alone; fold them before exporting.")
        if shape_position is not None:
            self._check_made(node, where, shape_position)
        if is_constant:
            self._constant.update(node.output)
        self._follow(node)

    def _check_made(self, node: Any, where: str, position: int) -> None:
        name = node.input[position] if position < len(node.input) else ""
        numbers = self._numbers.get(name)
        if numbers is None and self._row_counts.get(name, 2) > 1:
            raise UnsafeGraph(
                f"{where} makes a tensor of a computed shape; possible are constants and the shape of another tensor."
            )
        if math.prod(max(number, 1) for number in numbers or ()) > MAX_FILLED_ELEMENTS:
            raise UnsafeGraph(
                f"{where} makes a tensor of shape {numbers}; the limit is {MAX_FILLED_ELEMENTS:,} elements."
            )

    def _follow(self, node: Any) -> None:
        output = node.output[0] if node.output else ""
        if node.op_type == "Shape":
            self._row_counts[output] = 1
        elif node.op_type == "Constant":
            self._follow_constant(node, output)
        elif node.op_type in _KEEPS_NUMBERS:
            self._follow_shape(node, output)

    def _follow_constant(self, node: Any, output: str) -> None:
        for attribute in node.attribute:
            if attribute.name == "value":
                self.add_tensor(output, attribute.t)
            elif attribute.name in ("value_int", "value_ints"):
                self._numbers[output] = [int(number) for number in (attribute.ints or [attribute.i])][
                    : _MAX_SHAPE_LENGTH + 1
                ]

    def _follow_shape(self, node: Any, output: str) -> None:
        sources = node.input if node.op_type == "Concat" else node.input[:1]
        if all(name in self._numbers for name in sources) and node.op_type in (
            "Cast",
            "Identity",
            "Unsqueeze",
            "Squeeze",
            "Reshape",
            "Concat",
        ):
            self._numbers[output] = [number for name in sources for number in self._numbers[name]]
        elif all(name in self._numbers or name in self._row_counts for name in sources):
            fixed = math.prod(max(number, 1) for name in sources for number in self._numbers.get(name, ()))
            counts = sum(self._row_counts.get(name, 0) for name in sources)
            self._row_counts[output] = counts if fixed <= MAX_FILLED_ELEMENTS else 2
