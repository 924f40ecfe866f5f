"""Write a model that is a plain function of its inputs, their sum, as an ONNX graph, and push it.

    python examples/addition/train.py

The server and the key come from the environment (FORETELL_URL, FORETELL_API_KEY, FORETELL_TENANT) or from `foretell login`.
"""

from typing import Any, NamedTuple

from onnx import TensorProto, helper

import foretell

NAME = "addition"
DESCRIPTION = "The sum of two numbers: a model whose answers one can check in one's head."
REFINEMENTS = {
    "inputs": {"a": {"help": "Any number.", "example": 2}, "b": {"help": "Any number.", "example": 3}},
    "outputs": {"prediction": {"help": "a + b"}},
}
OPSET, FORMAT_VERSION = 17, 10  # old enough for every runtime of the last years


class Trained(NamedTuple):
    model: bytes
    sample: Any
    metrics: dict[str, float]


def train() -> Trained:
    """Nothing is learnt; the sample only shows what numbers look like."""
    sample = [{"a": a, "b": b} for a in (-1000.0, -1.5, 0.0, 2.0, 1000.0) for b in (-1000.0, 0.25, 3.0, 1000.0)]
    return Trained(graph(), sample, {})


def graph() -> bytes:
    def column(name: str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 1])

    body = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["sum"])], NAME, [column("a"), column("b")], [column("sum")]
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT_VERSION)
    return bytes(model.SerializeToString())


def push() -> Any:
    model, sample, _ = train()
    return foretell.push(model, NAME, sample=sample, description=DESCRIPTION, refinements=REFINEMENTS)


if __name__ == "__main__":
    push()
