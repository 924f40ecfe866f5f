"""Hostile graphs are refused before any runtime sees them, and honest ones pass."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from foretell.inference.errors import UnreadableArtifact, UnsafeGraph
from foretell.inference.graph_checks import check_graph
from foretell.inference.graph_checks.limits import MAX_NODES, MAX_TREE_DEPTH


def table(name: str = "X", width: int | None = 2, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, [None, width])


def model_of(
    nodes: list[Any], *, initializers: list[Any] | None = None, inputs: list[Any] | None = None, **kwargs: Any
) -> Any:
    outputs = [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", inputs or [table()], outputs, initializers or [])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3), *kwargs.pop("opsets", [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, **kwargs)


def addition() -> Any:
    weights = numpy_helper.from_array(np.ones((2, 1), dtype=np.float32), "W")
    return model_of([helper.make_node("MatMul", ["X", "W"], ["Y"])], initializers=[weights])


def forest(**changes: Any) -> Any:
    """Return one tree of three nodes; `changes` replace its attributes."""
    attributes: dict[str, Any] = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_values": [0.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights": [1.0, 2.0],
        "n_targets": 1,
    }
    return model_of(
        [helper.make_node("TreeEnsembleRegressor", ["X"], ["Y"], domain="ai.onnx.ml", **{**attributes, **changes})]
    )


def double_forest(**changes: Any) -> Any:
    attributes: dict[str, Any] = {
        "tree_roots": [0],
        "nodes_modes": numpy_helper.from_array(np.zeros(1, dtype=np.uint8)),
        "nodes_splits": numpy_helper.from_array(np.zeros(1)),
        "nodes_featureids": [0],
        "nodes_truenodeids": [0],
        "nodes_trueleafs": [1],
        "nodes_falsenodeids": [1],
        "nodes_falseleafs": [1],
        "leaf_targetids": [0, 0],
        "leaf_weights": numpy_helper.from_array(np.ones(2)),
        "n_targets": 1,
        "aggregate_function": 1,
        "post_transform": 0,
    }
    return model_of([helper.make_node("TreeEnsemble", ["X"], ["Y"], domain="ai.onnx.ml", **{**attributes, **changes})])


def svm(**changes: Any) -> Any:
    attributes: dict[str, Any] = {
        "classlabels_ints": [0, 1],
        "coefficients": [1.0, -1.0],
        "kernel_params": [0.5, 0.0, 3.0],
        "kernel_type": "RBF",
        "rho": [0.1],
        "support_vectors": [1.0, 2.0, 3.0, 4.0],
        "vectors_per_class": [1, 1],
    }
    node = helper.make_node("SVMClassifier", ["X"], ["Y", "Z"], domain="ai.onnx.ml", **{**attributes, **changes})
    return model_of([node])


def refused(model: Any) -> str:
    with pytest.raises(UnsafeGraph) as caught:
        check_graph(model.SerializeToString())
    return caught.value.message


@pytest.mark.parametrize("make", [addition, forest, double_forest, svm])
def test_honest_graphs_pass(make: Callable[[], Any]) -> None:
    check_graph(make().SerializeToString())


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"not a graph", addition().SerializeToString()[:20]])
def test_what_is_no_graph_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableArtifact):
        check_graph(data)


def external(tensor: Any) -> Any:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def test_data_in_other_files_is_refused() -> None:
    model = addition()
    external(model.graph.initializer[0])

    assert "another file" in refused(model)


def test_data_in_other_files_is_refused_within_attributes_too() -> None:
    tensor = external(numpy_helper.from_array(np.ones(2, dtype=np.float32), "c"))
    model = model_of(
        [helper.make_node("Constant", [], ["C"], value=tensor), helper.make_node("Add", ["X", "C"], ["Y"])]
    )

    assert "another file" in refused(model)


def loop() -> Any:
    body = addition().graph
    return model_of([helper.make_node("Loop", ["", ""], ["Y"], body=body)])


def branch() -> Any:
    return model_of([helper.make_node("If", ["X"], ["Y"], then_branch=addition().graph, else_branch=addition().graph)])


def scan() -> Any:
    return model_of([helper.make_node("Scan", ["X"], ["Y"], body=addition().graph, num_scan_inputs=1)])


def random() -> Any:
    return model_of([helper.make_node("RandomNormalLike", ["X"], ["Y"])])


def custom_domain() -> Any:
    return model_of(
        [helper.make_node("Anything", ["X"], ["Y"], domain="evil")], opsets=[helper.make_opsetid("evil", 1)]
    )


def microsoft() -> Any:
    return model_of(
        [helper.make_node("Tokenizer", ["X"], ["Y"], domain="com.microsoft")],
        opsets=[helper.make_opsetid("com.microsoft", 1)],
    )


def function() -> Any:
    model = addition()
    model.functions.append(
        helper.make_function(
            "d", "F", ["a"], ["b"], [helper.make_node("Identity", ["a"], ["b"])], [helper.make_opsetid("", 18)]
        )
    )
    return model


def smuggled_graph() -> Any:
    """Hide a graph in an operator that is on the list."""
    node = helper.make_node("Identity", ["X"], ["Y"])
    node.attribute.append(helper.make_attribute("body", addition().graph))
    return model_of([node])


def training() -> Any:
    model = addition()
    model.training_info.add()
    return model


def sparse() -> Any:
    model = addition()
    model.graph.sparse_initializer.add()
    return model


@pytest.mark.parametrize(
    "make", [loop, branch, scan, random, custom_domain, microsoft, function, smuggled_graph, training, sparse]
)
def test_anything_but_a_line_of_known_operators_is_refused(make: Callable[[], Any]) -> None:
    refused(make())


def test_a_chain_of_50_000_nodes_is_refused() -> None:
    nodes = [helper.make_node("Identity", ["X" if i == 0 else f"v{i - 1}"], [f"v{i}"]) for i in range(50_000)]

    assert f"{MAX_NODES:,}" in refused(model_of(nodes))


def test_an_unknown_opset_is_refused() -> None:
    model = addition()
    model.opset_import[0].version = 99

    assert "opset 99" in refused(model)


def test_a_value_used_before_it_is_made_is_refused() -> None:
    nodes = [helper.make_node("Add", ["X", "B"], ["A"]), helper.make_node("Identity", ["A"], ["B"])]

    assert "nothing before it makes" in refused(model_of(nodes))


def test_a_value_made_twice_is_refused() -> None:
    nodes = [helper.make_node("Identity", ["X"], ["Y"]), helper.make_node("Neg", ["X"], ["Y"])]

    assert "twice" in refused(model_of(nodes))


@pytest.mark.parametrize("dims", [[2**40], [2**20, 2**20], [-1, 2], [1] * 9, [3, 1]])
def test_a_tensor_that_is_not_what_it_declares_is_refused(dims: list[int]) -> None:
    model = addition()
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)

    refused(model)


def test_an_odd_element_type_is_refused() -> None:
    model = addition()
    model.graph.initializer[0].data_type = TensorProto.COMPLEX64

    assert "element type" in refused(model)


@pytest.mark.parametrize(
    "value",
    [
        helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2, 2]),
        helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, None]),
        helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 10**9]),
        helper.make_tensor_value_info("X", TensorProto.COMPLEX64, [None, 2]),
        helper.make_tensor_sequence_value_info("X", TensorProto.FLOAT, [None, 2]),
    ],
    ids=["three axes", "any width", "a billion columns", "complex numbers", "a sequence"],
)
def test_an_input_that_is_no_table_is_refused(value: Any) -> None:
    refused(model_of([helper.make_node("Identity", ["X"], ["Y"])], inputs=[value]))


def filled(shape: list[int]) -> Any:
    shape_tensor = numpy_helper.from_array(np.array(shape, dtype=np.int64), "S")
    nodes = [helper.make_node("ConstantOfShape", ["S"], ["C"]), helper.make_node("Identity", ["C"], ["Y"])]
    return model_of(nodes, initializers=[shape_tensor])


def filled_by_shapes_of_shapes() -> Any:
    nodes = [
        helper.make_node("Shape", ["X"], ["S"]),
        helper.make_node("Mul", ["S", "S"], ["T"]),
        helper.make_node("ConstantOfShape", ["T"], ["Y"]),
    ]
    return model_of(nodes)


def filled_by_rows_times_rows() -> Any:
    nodes = [
        helper.make_node("Shape", ["X"], ["S"]),
        helper.make_node("Concat", ["S", "S"], ["T"], axis=0),
        helper.make_node("ConstantOfShape", ["T"], ["Y"]),
    ]
    return model_of(nodes)


def test_a_small_constant_of_a_shape_passes() -> None:
    check_graph(filled([1, 4]).SerializeToString())


@pytest.mark.parametrize(
    "model",
    [filled([20_000, 20_000]), filled([2**62]), filled_by_shapes_of_shapes(), filled_by_rows_times_rows()],
    ids=["a large shape", "a huge number", "shapes multiplied", "rows times rows"],
)
def test_a_number_in_a_graph_cannot_ask_for_all_memory(model: Any) -> None:
    assert "makes a tensor" in refused(model)


def test_constants_alone_are_not_multiplied_at_each_load() -> None:
    big = [numpy_helper.from_array(np.ones((8, 8), dtype=np.float32), name) for name in "AB"]
    nodes = [
        helper.make_node("MatMul", ["A", "B"], ["C"]),
        helper.make_node("Identity", ["C"], ["D"]),
        helper.make_node("MatMul", ["X", "D"], ["Y"]),
    ]

    assert "constants alone" in refused(model_of(nodes, initializers=big))


@pytest.mark.parametrize(
    "changes",
    [
        {"nodes_values": [0.5]},
        {"nodes_featureids": [0, 0]},
        {"nodes_featureids": [-1, 0, 0]},
        {"nodes_featureids": [2**40, 0, 0]},
        {"nodes_truenodeids": [7, 0, 0]},
        {"nodes_truenodeids": [0, 0, 0]},
        {"nodes_falsenodeids": [1, 0, 0]},
        {"nodes_nodeids": [0, 1, 1]},
        {"nodes_treeids": [0, 0, 1]},
        {"nodes_treeids": [-1, -1, -1]},
        {"nodes_modes": ["BRANCH_LEQ", "LEAF", "JUMP"]},
        {
            "nodes_modes": ["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"],
            "nodes_truenodeids": [1, 0, 0],
            "nodes_falsenodeids": [2, 2, 0],
        },
        {"target_ids": [0, 1]},
        {"target_ids": [0, -1]},
        {"target_ids": [0]},
        {"target_nodeids": [1, 9]},
        {"target_weights": [1.0]},
        {"n_targets": 10**9},
        {"base_values": [1.0, 2.0]},
    ],
)
def test_trees_with_arrays_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    refused(forest(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"tree_roots": [1]},
        {"tree_roots": [0, 0]},
        {"nodes_truenodeids": [5]},
        {"nodes_trueleafs": [0]},
        {"nodes_trueleafs": [2]},
        {"nodes_falsenodeids": [0]},
        {"nodes_splits": numpy_helper.from_array(np.zeros(3))},
        {"nodes_modes": numpy_helper.from_array(np.full(1, 9, dtype=np.uint8))},
        {"leaf_targetids": [0, 5]},
        {"leaf_weights": numpy_helper.from_array(np.ones(1))},
        {"nodes_featureids": [-3]},
    ],
)
def test_float64_trees_with_arrays_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    refused(double_forest(**changes))


def chain(depth: int, *, is_circle: bool = False) -> Any:
    """Return a tree that is one long branch; as a circle, its end leads back to its middle."""
    ids = list(range(2 * depth + 1))
    true = [i + 2 if i % 2 == 0 and i < 2 * depth else 0 for i in ids]
    false = [i + 1 if i % 2 == 0 and i < 2 * depth else 0 for i in ids]
    if is_circle:
        true[2 * depth - 2] = depth
    modes = ["BRANCH_LEQ" if i % 2 == 0 and i < 2 * depth else "LEAF" for i in ids]
    zeros = [0] * len(ids)
    return forest(
        nodes_treeids=zeros,
        nodes_nodeids=ids,
        nodes_featureids=zeros,
        nodes_modes=modes,
        nodes_values=[0.0] * len(ids),
        nodes_truenodeids=true,
        nodes_falsenodeids=false,
    )


def test_a_deep_tree_passes_and_one_that_is_a_chain_does_not() -> None:
    check_graph(chain(100).SerializeToString())

    assert "deeper" in refused(chain(3 * MAX_TREE_DEPTH))


def test_trees_with_a_cycle_are_refused() -> None:
    refused(chain(100, is_circle=True))


@pytest.mark.parametrize(
    "changes",
    [
        {"vectors_per_class": [1]},
        {"vectors_per_class": [5, 5]},
        {"vectors_per_class": [-1, 3]},
        {"coefficients": [1.0]},
        {"rho": [0.1, 0.2]},
        {"support_vectors": [1.0, 2.0, 3.0]},
        {"kernel_params": [0.5]},
        {"prob_a": [0.1, 0.2]},
    ],
)
def test_support_vectors_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    refused(svm(**changes))


def test_linear_coefficients_that_do_not_fit_are_refused() -> None:
    def linear(coefficients: list[float]) -> Any:
        node = helper.make_node(
            "LinearRegressor",
            ["X"],
            ["Y"],
            domain="ai.onnx.ml",
            coefficients=coefficients,
            intercepts=[0.0, 0.0],
            targets=2,
        )
        return model_of([node])

    check_graph(linear([1.0, 2.0, 3.0, 4.0]).SerializeToString())
    refused(linear([1.0, 2.0, 3.0]))


def test_pairs_of_unequal_number_are_refused() -> None:
    node = helper.make_node("LabelEncoder", ["X"], ["Y"], domain="ai.onnx.ml", keys_int64s=[1, 2], values_strings=["a"])

    refused(model_of([node]))


def test_without_the_checks_onnxruntime_would_load_hostile_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what is refused here is not refused by the runtime, so that the checks are what holds."""
    from foretell.inference.runtimes.onnx import open_session

    graph = filled([2_000, 2_000]).SerializeToString()
    refused(onnx.ModelProto.FromString(graph))

    session = open_session(graph)
    answer = session.run(None, {"X": np.zeros((1, 2), dtype=np.float32)})[0]

    assert answer.size == 4_000_000


def test_the_runtime_finds_no_file_beside_a_graph(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from foretell.inference.runtimes.onnx import open_session

    model = addition()
    tensor = model.graph.initializer[0]
    (tmp_path / "weights.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UnreadableArtifact):
        open_session(model.SerializeToString())
