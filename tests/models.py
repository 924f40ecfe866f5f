"""SumModel: a model whose answers one can check in one's head. And a classifier, for what has classes."""

from typing import Any

from onnx import TensorProto, helper

from tests.cast import House


def sum_graph() -> bytes:
    """Return an ONNX graph of two inputs, a and b, that answers their sum."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 1]) for name in ("a", "b")]
    output = helper.make_tensor_value_info("sum", TensorProto.DOUBLE, [None, 1])
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["sum"])], "sum", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def sum_signature() -> Any:
    from foretell.inference.signature import DType, Input, Output, Signature, Task

    inputs = tuple(
        Input(name=name, dtype=DType.FLOAT, range=(0.0, 10.0), example=float(example))
        for name, example in (("a", 1), ("b", 2))
    )
    return Signature(inputs=inputs, outputs=(Output(name="sum", task=Task.REGRESSION),))


def converted_sum_model() -> dict[str, Any]:
    """Return what an author's own environment says of SumModel, beside its graph."""
    from foretell.inference.parity import Parity

    examples = {"inputs": {"a": [1.0, 3.0], "b": [2.0, 4.0]}, "answers": {"sum": {"values": [3.0, 7.0]}}}
    return {
        "runtime": "onnx", "signature": sum_signature().to_json(), "parity": Parity(rows=2).to_json(), "examples": examples,
        "libraries": {"onnx": "1"}, "reason": "The graph answers exactly.",
    }  # fmt: skip


def ready_sum_model(house: House, *, name: str = "sum", by: str = "alice", tweak: str = "") -> Any:
    """Push SumModel as somebody of the house, and finish its build as a worker would; `tweak` makes it another version."""
    from django.utils import timezone

    from foretell.inference.building import BuiltModel
    from foretell.inference.converted import ConvertedModel
    from foretell.registry import building, storage
    from foretell.registry.pushing import PushMetadata, Upload, push_version

    with house.inside():
        uploads = [Upload("sum.onnx", storage.store([sum_graph()]))]
        metadata = PushMetadata(converted={**converted_sum_model(), "reason": tweak})
        version, _ = push_version(
            name=name,
            uploads=uploads,
            sample=None,
            metadata=metadata,
            principal=house.principal(by),
            now=timezone.now(),
        )
        claimed = building.claim(version.pk, now=timezone.now())
        assert claimed is not None
        model = ConvertedModel.from_json(converted_sum_model(), graph=sum_graph())
        built = BuiltModel(
            runtime="onnx", artifact=sum_graph(), signature=model.signature, parity=model.parity, examples=model.examples,
            libraries=model.libraries, reason=model.reason,
        )  # fmt: skip
        building.finish(claimed, built, storage.store([built.artifact]))
        version.refresh_from_db()
        return version
