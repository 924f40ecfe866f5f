"""The two runtimes: a graph in this process, and a locked worker that may die."""

import threading
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from foretell.inference.batch import Batch
from foretell.inference.errors import (
    JobCrashed,
    JobTimedOut,
    RunFailed,
    SandboxUnavailable,
    UnreadableArtifact,
    UnsupportedModel,
)
from foretell.inference.predicting import LoadedModel, predict
from foretell.inference.runtimes.onnx import OnnxRuntime
from foretell.inference.runtimes.python import PythonRuntime
from foretell.inference.signature import DType, Input, Output, Signature, Task
from foretell.inference.wire import pack_predictions


def model(nodes: list[Any], inputs: list[Any], outputs: list[Any], initializers: list[Any] | None = None) -> bytes:
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers or [])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return data


def tensor(name: str, kind: int, shape: list[int | None]) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def floats(*names: str) -> tuple[Input, ...]:
    return tuple(Input(name=name, dtype=DType.FLOAT) for name in names)


def a_sum(*, kind: int = TensorProto.DOUBLE) -> bytes:
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"])]
    return model(nodes, [tensor("a", kind, [None, 1]), tensor("b", kind, [None, 1])], [tensor("sum", kind, [None, 1])])


SUM = Signature(inputs=floats("a", "b"), outputs=(Output(name="sum", task=Task.REGRESSION),))


def two_rows() -> Batch:
    return Batch({"a": np.array([1.0, 2.0]), "b": np.array([10.0, 20.5])}, 2)


def test_a_graph_answers_a_batch() -> None:
    answers = predict(LoadedModel(SUM, OnnxRuntime(a_sum(), SUM)), two_rows())

    assert answers.outputs["sum"].values.tolist() == [11.0, 22.5]
    assert answers.n_rows == 2


def test_columns_find_their_inputs_by_name_in_any_order() -> None:
    nodes = [helper.make_node("Sub", ["a", "b"], ["sum"])]
    graph = model(nodes, [tensor("b", 11, [None, 1]), tensor("a", 11, [None, 1])], [tensor("sum", 11, [None, 1])])

    assert OnnxRuntime(graph, SUM).run(two_rows()).outputs["sum"].values.tolist() == [-9.0, -18.5]


def test_one_matrix_is_filled_in_the_signatures_order() -> None:
    weights = numpy_helper.from_array(np.array([[1.0], [100.0]], dtype=np.float32), "W")
    graph = model(
        [helper.make_node("MatMul", ["X", "W"], ["y"])],
        [tensor("X", 1, [None, 2])],
        [tensor("y", 1, [None, 1])],
        [weights],
    )

    assert OnnxRuntime(graph, SUM).run(two_rows()).outputs["sum"].values.tolist() == [1001.0, 2052.0]


def test_inputs_without_a_second_axis_are_filled_flat() -> None:
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"])]
    graph = model(nodes, [tensor("a", 11, [None]), tensor("b", 11, [None])], [tensor("sum", 11, [None])])

    assert OnnxRuntime(graph, SUM).run(two_rows()).outputs["sum"].values.tolist() == [11.0, 22.5]


def test_missing_words_enter_as_empty_ones() -> None:
    nodes = [
        helper.make_node(
            "LabelEncoder",
            ["word"],
            ["y"],
            domain="ai.onnx.ml",
            keys_strings=["", "yes"],
            values_floats=[-1.0, 1.0],
            default_float=0.0,
        )
    ]
    graph = model(nodes, [tensor("word", 8, [None, 1])], [tensor("y", 1, [None, 1])])
    signature = Signature(
        inputs=(Input(name="word", dtype=DType.STRING, nullable=True),),
        outputs=(Output(name="y", task=Task.REGRESSION),),
    )

    answers = OnnxRuntime(graph, signature).run(Batch({"word": np.array(["yes", None, "no"], dtype=object)}, 3))

    assert answers.outputs["y"].values.tolist() == [1.0, -1.0, 0.0]


def softmax(width: int) -> bytes:
    return model(
        [helper.make_node("Softmax", ["X"], ["p"], axis=1)],
        [tensor("X", 11, [None, 2])],
        [tensor("p", 11, [None, width])],
    )


def test_a_graph_of_scores_alone_answers_the_highest_class() -> None:
    output = Output(name="kind", task=Task.BINARY, classes=("cat", "dog"), probabilities=True)

    answers = OnnxRuntime(softmax(2), Signature(inputs=floats("a", "b"), outputs=(output,))).run(
        Batch({"a": np.array([0.0, 5.0]), "b": np.array([1.0, 0.0])}, 2)
    )

    assert answers.outputs["kind"].values.tolist() == ["dog", "cat"]
    assert answers.outputs["kind"].probabilities is not None
    assert answers.outputs["kind"].probabilities.sum(axis=1).tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("graph", "signature"),
    [
        (a_sum(), Signature(inputs=floats("a", "c"), outputs=SUM.outputs)),
        (softmax(2), Signature(inputs=floats("a", "b", "c"), outputs=SUM.outputs)),
        (a_sum(), Signature(inputs=(*floats("a"), Input(name="b", dtype=DType.STRING)), outputs=SUM.outputs)),
        (
            softmax(2),
            Signature(
                inputs=SUM.inputs,
                outputs=(Output(name="y", task=Task.MULTICLASS, classes=("a", "b", "c"), probabilities=True),),
            ),
        ),
        (
            a_sum(kind=TensorProto.INT64),
            Signature(inputs=(*floats("a"), Input(name="b", dtype=DType.INT, nullable=True)), outputs=SUM.outputs),
        ),
        (model([helper.make_node("Identity", ["X"], ["y"])], [tensor("X", 1, [1, 2])], [tensor("y", 1, [1, 2])]), SUM),
    ],
)
def test_a_graph_that_does_not_fit_its_signature_is_refused(graph: bytes, signature: Signature) -> None:
    with pytest.raises(UnsupportedModel):
        OnnxRuntime(graph, signature)


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(UnreadableArtifact):
        OnnxRuntime(b"\x00" * 100, SUM)


def test_a_closed_graph_answers_no_more() -> None:
    runtime = OnnxRuntime(a_sum(), SUM)
    runtime.close()
    runtime.close()

    with pytest.raises(RunFailed):
        runtime.run(two_rows())


def test_threads_share_a_graph() -> None:
    runtime = OnnxRuntime(a_sum(), SUM)
    found: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda: found.append(runtime.run(two_rows()).outputs["sum"].values.tolist()))
        for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[11.0, 22.5]] * 8


class FakeChannel:
    """A worker that answers a + b, until it is told to fail."""

    def __init__(self, sandbox: "FakeSandbox") -> None:
        self._sandbox = sandbox
        self.is_alive = True

    def call(self, payload: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        if self._sandbox.failures:
            self.is_alive = False
            raise self._sandbox.failures.pop()
        if self._sandbox.answer is not None:
            return self._sandbox.answer
        columns = payload["batch"]["columns"]
        total = np.frombuffer(columns["a"]["data"]) + np.frombuffer(columns["b"]["data"])
        return {
            "answers": {
                "sum": {
                    "values": {"dtype": "<f8", "shape": [len(total)], "data": total.tobytes()},
                    "probabilities": None,
                }
            }
        }

    def close(self) -> None:
        self.is_alive = False


class FakeSandbox:
    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.answer: dict[str, Any] | None = None
        self.opened = 0
        self.channels: list[FakeChannel] = []

    def open(self, server: str, payload: dict[str, Any], *, limits: Any) -> FakeChannel:
        self.opened += 1
        self.channels.append(FakeChannel(self))
        return self.channels[-1]


@pytest.fixture
def sandbox() -> FakeSandbox:
    return FakeSandbox()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def python_runtime(sandbox: Any, clock: Any = None) -> PythonRuntime:
    return PythonRuntime(sandbox, [("model", b"")], SUM, clock=clock or Clock())


def test_a_worker_is_opened_at_the_first_prediction_and_kept(sandbox: FakeSandbox) -> None:
    runtime = python_runtime(sandbox)
    assert sandbox.opened == 0

    for _ in range(3):
        assert runtime.run(two_rows()).outputs["sum"].values.tolist() == [11.0, 22.5]

    assert sandbox.opened == 1


def test_a_worker_that_died_is_opened_again(sandbox: FakeSandbox) -> None:
    runtime = python_runtime(sandbox)
    runtime.run(two_rows())
    sandbox.channels[0].is_alive = False

    runtime.run(two_rows())

    assert sandbox.opened == 2


@pytest.mark.parametrize("failure", [JobCrashed("gone"), JobTimedOut("slow")])
def test_a_failed_call_is_told_and_the_next_one_answered(sandbox: FakeSandbox, failure: Exception) -> None:
    runtime = python_runtime(sandbox)
    sandbox.failures = [failure]

    with pytest.raises(type(failure)):
        runtime.run(two_rows())

    assert runtime.run(two_rows()).n_rows == 2


def test_a_worker_that_keeps_dying_is_left_alone_for_a_minute(sandbox: FakeSandbox) -> None:
    clock = Clock()
    runtime = python_runtime(sandbox, clock)
    sandbox.failures = [JobCrashed("gone") for _ in range(3)]
    for _ in range(3):
        with pytest.raises(JobCrashed):
            runtime.run(two_rows())

    with pytest.raises(JobCrashed) as caught:
        runtime.run(two_rows())
    assert caught.value.details["retry_after_s"] == 60
    assert sandbox.opened == 3

    clock.now = 61.0
    assert runtime.run(two_rows()).n_rows == 2


def test_rows_that_the_estimator_gives_up_on_do_not_cost_its_worker(sandbox: FakeSandbox) -> None:
    runtime = python_runtime(sandbox)
    runtime.run(two_rows())
    sandbox.failures = [RunFailed("no")]
    sandbox.channels[0].is_alive = True

    with pytest.raises(RunFailed):
        runtime.run(two_rows())


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"answers": None},
        {"answers": {"other": {}}},
        {"answers": {"sum": {"values": [1.0, 2.0], "probabilities": None}}},
        {"answers": {"sum": {"values": {"dtype": "<f8", "shape": [1], "data": b"\0" * 8}, "probabilities": None}}},
        {"answers": {"sum": {"values": {"dtype": "<f8", "shape": [2], "data": b"\0" * 8}, "probabilities": None}}},
        {"answers": {"sum": {"values": {"dtype": "|O", "shape": [2], "data": b"\0" * 16}, "probabilities": None}}},
    ],
)
def test_a_workers_broken_answer_is_a_crash_and_nothing_else(sandbox: FakeSandbox, answer: dict[str, Any]) -> None:
    runtime = python_runtime(sandbox)
    sandbox.answer = answer

    with pytest.raises(JobCrashed):
        runtime.run(two_rows())


def test_a_worker_cannot_answer_a_class_that_is_none(sandbox: FakeSandbox) -> None:
    signature = Signature(inputs=SUM.inputs, outputs=(Output(name="kind", task=Task.BINARY, classes=("cat", "dog")),))
    runtime = PythonRuntime(sandbox, [("model", b"")], signature)  # type: ignore[arg-type]  # stands in for the real one
    sandbox.answer = {"answers": {"kind": {"values": ["cat", "<script>"], "probabilities": None}}}

    with pytest.raises(JobCrashed, match="none of its classes"):
        runtime.run(two_rows())


def test_an_absent_sandbox_is_told(sandbox: FakeSandbox) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise SandboxUnavailable("no sandbox")

    sandbox.open = refuse  # type: ignore[method-assign]

    with pytest.raises(SandboxUnavailable):
        python_runtime(sandbox).run(two_rows())


def test_a_closed_runtime_ends_its_worker(sandbox: FakeSandbox) -> None:
    runtime = python_runtime(sandbox)
    runtime.run(two_rows())
    runtime.close()
    runtime.close()

    assert not sandbox.channels[0].is_alive
    with pytest.raises(RunFailed):
        runtime.run(two_rows())


def test_predictions_are_packed_without_loss() -> None:
    answers = OnnxRuntime(a_sum(), SUM).run(two_rows())

    assert pack_predictions(answers)["sum"]["values"]["shape"] == [2]
