"""Adds nodes to the graph that skl2onnx is building."""

from collections.abc import Sequence
from typing import Any

import numpy as np

FLOAT, INT64, DOUBLE = 1, 7, 11  # TensorProto.DataType
_TYPES = {"float32": FLOAT, "int64": INT64, "float64": DOUBLE}


class Emitter:
    """The graph under construction, as one operator's converter sees it.

    `source` is the name of the operator's input, all its columns joined into one float64 matrix.
    """

    def __init__(self, scope: Any, operator: Any, container: Any) -> None:
        self._scope, self._container = scope, container
        self.estimator = operator.raw_operator
        self.outputs: list[str] = [output.full_name for output in operator.outputs]
        self.n_features = sum(variable.type.shape[1] for variable in operator.inputs)
        names = [self.node("Cast", variable.full_name, to=DOUBLE) for variable in operator.inputs]
        self.source = names[0] if len(names) == 1 else self.node("Concat", *names, axis=1)

    def node(
        self,
        kind: str,
        *inputs: Any,
        output: str | None = None,
        domain: str = "",
        version: int | None = None,
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its output; arrays among the inputs become constants."""
        names = [name if isinstance(name, str) else self.constant(name) for name in inputs]
        output = output or self._scope.get_unique_variable_name(kind.lower())
        versions = {} if version is None else {"op_version": version}
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(kind, names, output, op_domain=domain, name=name, **versions, **attributes)
        return output

    def constant(self, values: Any) -> str:
        array = np.asarray(values)
        name: str = self._scope.get_unique_variable_name("constant")
        self._container.add_initializer(name, _TYPES[array.dtype.name], list(array.shape), array.ravel().tolist())
        return name

    def rounded(self, source: str) -> str:
        """Round to float32 and back, as an estimator does that takes float32."""
        return self.node("Cast", self.node("Cast", source, to=FLOAT), to=DOUBLE)

    def labels(self, positions: str, classes: Sequence[Any], *, output: str) -> str:
        """Turn positions in `classes` into the classes themselves."""
        values = np.asarray(classes)
        if values.dtype.kind in "OUS":
            words = [str(label) for label in values]
            return self.node(
                "LabelEncoder",
                positions,
                output=output,
                domain="ai.onnx.ml",
                version=2,
                keys_int64s=list(range(len(words))),
                values_strings=words,
            )
        return self.node("Gather", values.astype(np.int64), positions, output=output, axis=0)
