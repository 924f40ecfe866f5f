"""From uploaded files to a version that may be served: converted and checked in locked children, believed by no one."""

import copy
import io
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from onnx import TensorProto, helper
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from foretell.inference.artifacts import load_model, packed_files, unpacked_files
from foretell.inference.building import BuildOptions, BuiltModel, build
from foretell.inference.conversion import convert
from foretell.inference.conversion.samples import sample_batch
from foretell.inference.errors import (
    ArtifactError,
    InferenceError,
    InvalidSignature,
    JobCrashed,
    JobOutOfMemory,
    JobTimedOut,
    MissingPackage,
    NotFitted,
    ParityFailed,
    SampleMismatch,
    SandboxUnavailable,
    UnreadableArtifact,
    UnsafeGraph,
    UnsupportedModel,
    VersionMismatch,
)
from foretell.inference.predicting import predict
from foretell.inference.sandbox import Limits, Sandbox, spawn_sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with spawn_sandbox() as spawned:
        yield spawned


@pytest.fixture(scope="module")
def iris() -> Any:
    return load_iris(as_frame=True)


@pytest.fixture(scope="module")
def sample(iris: Any) -> bytes:
    text: str = iris.frame.to_csv(index=False)
    return text.encode()


@pytest.fixture(scope="module")
def forest(iris: Any) -> RandomForestClassifier:
    return RandomForestClassifier(10, random_state=1).fit(iris.data, iris.target_names[iris.target].astype(object))


def pickled(found: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(found, buffer)
    return buffer.getvalue()


def answers(built: BuiltModel, rows: pd.DataFrame, sandbox: Sandbox | None = None) -> list[Any]:
    model = load_model(runtime=built.runtime, artifact=built.artifact, signature=built.signature, sandbox=sandbox)
    try:
        found = predict(model, sample_batch(built.signature, rows))
        return next(iter(found.outputs.values())).values.tolist()  # type: ignore[no-any-return]  # numpy's tolist
    finally:
        model.close()


def test_a_raw_pickle_becomes_a_graph(
    sandbox: Sandbox, iris: Any, sample: bytes, forest: RandomForestClassifier
) -> None:
    built = build(
        sandbox, files=[("model.joblib", pickled(forest))], sample=sample, options=BuildOptions(target="target")
    )

    assert built.runtime == "onnx"
    assert built.parity.is_exact
    assert [column.name for column in built.signature.inputs] == list(iris.data.columns)
    assert answers(built, iris.data) == forest.predict(iris.data).tolist()


def test_a_skops_file_becomes_a_graph(
    sandbox: Sandbox, iris: Any, sample: bytes, forest: RandomForestClassifier
) -> None:
    built = build(
        sandbox, files=[("model.skops", skops.io.dumps(forest))], sample=sample, options=BuildOptions(target="target")
    )

    assert answers(built, iris.data) == forest.predict(iris.data).tolist()


def test_a_chain_of_two_files_is_one_model(sandbox: Sandbox, iris: Any, sample: bytes) -> None:
    scaler = StandardScaler().fit(iris.data)
    model = LogisticRegression().fit(scaler.transform(iris.data), iris.target)

    built = build(
        sandbox,
        files=[("scaler.pkl", pickled(scaler)), ("model.pkl", pickled(model))],
        sample=sample,
        options=BuildOptions(target="target"),
    )

    assert answers(built, iris.data) == model.predict(scaler.transform(iris.data)).tolist()


def test_a_model_without_a_graph_is_served_by_itself(sandbox: Sandbox, iris: Any, sample: bytes) -> None:
    estimator = NearestCentroid().fit(iris.data, iris.target)

    built = build(
        sandbox, files=[("model.pkl", pickled(estimator))], sample=sample, options=BuildOptions(target="target")
    )

    assert built.runtime == "python"
    assert "NearestCentroid" in built.reason
    assert built.artifact == pickled(estimator)
    assert answers(built, iris.data, sandbox) == estimator.predict(iris.data).tolist()


def test_a_chain_is_served_by_its_steps(sandbox: Sandbox, iris: Any, sample: bytes) -> None:
    scaler = StandardScaler().fit(iris.data)
    model = NearestCentroid().fit(scaler.transform(iris.data), iris.target)

    built = build(
        sandbox,
        files=[("scaler", pickled(scaler)), ("model", pickled(model))],
        sample=sample,
        options=BuildOptions(target="target"),
    )

    assert len(unpacked_files(built.artifact)) == 2
    assert answers(built, iris.data, sandbox) == model.predict(scaler.transform(iris.data)).tolist()


def test_a_python_version_without_a_sandbox_says_so(sandbox: Sandbox, iris: Any, sample: bytes) -> None:
    built = build(
        sandbox,
        files=[("m", pickled(NearestCentroid().fit(iris.data, iris.target)))],
        sample=sample,
        options=BuildOptions(target="target"),
    )

    with pytest.raises(SandboxUnavailable):
        answers(built, iris.data)


def converted_at_home(forest: RandomForestClassifier, iris: Any) -> tuple[bytes, dict[str, Any]]:
    converted = convert(forest, iris.data)
    assert converted.graph is not None
    return converted.graph, converted.to_json()


def test_what_the_author_converted_is_checked_and_kept(
    sandbox: Sandbox, iris: Any, forest: RandomForestClassifier
) -> None:
    graph, claims = converted_at_home(forest, iris)

    built = build(sandbox, files=[("model.onnx", graph)], options=BuildOptions(converted=claims))

    assert built.artifact == graph
    assert answers(built, iris.data) == forest.predict(iris.data).tolist()


def lies_about_an_answer(claims: dict[str, Any]) -> None:
    values = claims["examples"]["answers"][next(iter(claims["examples"]["answers"]))]["values"]
    values[0] = "virginica" if values[0] != "virginica" else "setosa"


def lies_about_a_class(claims: dict[str, Any]) -> None:
    claims["signature"]["outputs"][0]["classes"] = ["setosa", "versicolor", "unicorn"]


def lies_about_the_inputs(claims: dict[str, Any]) -> None:
    claims["signature"]["inputs"].append({"name": "more", "dtype": "float"})
    claims["examples"]["inputs"]["more"] = [0.0] * len(next(iter(claims["examples"]["inputs"].values())))


def sends_words_for_numbers(claims: dict[str, Any]) -> None:
    column = next(iter(claims["examples"]["inputs"].values()))
    column[0] = "5.1"


def sends_infinity(claims: dict[str, Any]) -> None:
    column = next(iter(claims["examples"]["inputs"].values()))
    column[0] = float("inf")


def sends_too_many_rows(claims: dict[str, Any]) -> None:
    for column in claims["examples"]["inputs"].values():
        column.extend([1.0] * 1_000)


def sends_more(claims: dict[str, Any]) -> None:
    claims["surprise"] = 1


def claims_python(claims: dict[str, Any]) -> None:
    claims["runtime"] = "python"


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        (lies_about_an_answer, ParityFailed),
        (lies_about_a_class, InferenceError),
        (lies_about_the_inputs, UnsupportedModel),
        (sends_words_for_numbers, InvalidSignature),
        (sends_infinity, InvalidSignature),
        (sends_too_many_rows, InvalidSignature),
        (sends_more, InvalidSignature),
        (claims_python, UnreadableArtifact),
    ],
)
def test_the_authors_claims_are_not_believed(
    sandbox: Sandbox, iris: Any, forest: RandomForestClassifier, lie: Any, kind: type[InferenceError]
) -> None:
    graph, claims = converted_at_home(forest, iris)
    claims = copy.deepcopy(claims)
    lie(claims)

    with pytest.raises(kind):
        build(sandbox, files=[("model.onnx", graph)], options=BuildOptions(converted=claims))


class Lying(Sandbox):
    """A sandbox whose first child belongs to an attacker: whatever was uploaded, it answers this."""

    def __init__(self, true: Sandbox, answer: dict[str, Any]) -> None:
        self._true, self._answer = true, answer

    def run(self, job: str, payload: dict[str, Any], **options: Any) -> dict[str, Any]:
        return self._answer if job == "convert" else self._true.run(job, payload, **options)


def test_a_child_that_claims_a_hostile_graph_is_found_out_by_the_second(
    sandbox: Sandbox, iris: Any, forest: RandomForestClassifier
) -> None:
    _, claims = converted_at_home(forest, iris)
    nodes = [helper.make_node("RandomNormalLike", ["X"], ["Y"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4]) for name in "XY"]
    hostile = helper.make_model(
        helper.make_graph(nodes, "g", values[:1], values[1:]), ir_version=10
    ).SerializeToString()

    with pytest.raises(UnsafeGraph):
        build(Lying(sandbox, {"converted": claims, "graph": hostile}), files=[("m", pickled(forest))])


@pytest.mark.parametrize(
    "answer", [{}, {"converted": None, "graph": None}, {"converted": {}, "graph": "x"}, {"converted": [], "graph": b""}]
)
def test_a_child_that_answers_nonsense_fails_the_build(
    sandbox: Sandbox, forest: RandomForestClassifier, answer: dict[str, Any]
) -> None:
    with pytest.raises((JobCrashed, InvalidSignature)):
        build(Lying(sandbox, answer), files=[("m", pickled(forest))])


def test_a_bare_graph_is_served_as_it_came(sandbox: Sandbox) -> None:
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"])]
    inputs = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 1]) for name in "ab"]
    outputs = [helper.make_tensor_value_info("sum", TensorProto.DOUBLE, [None, 1])]
    graph = helper.make_model(
        helper.make_graph(nodes, "addition", inputs, outputs), opset_imports=[helper.make_opsetid("", 18)]
    ).SerializeToString()

    built = build(sandbox, files=[("addition.onnx", graph)], sample=b"a,b\n1,2\n3,4.5\n")

    assert [column.name for column in built.signature.inputs] == ["a", "b"]
    assert answers(built, pd.DataFrame({"a": [1.5, 2.0], "b": [2.0, -2.0]})) == [3.5, 0.0]


def test_refinements_reach_the_signature(sandbox: Sandbox, sample: bytes, forest: RandomForestClassifier) -> None:
    refinements = {"inputs": {"petal length (cm)": {"unit": "cm", "help": "Longest petal"}}}

    built = build(
        sandbox,
        files=[("m", pickled(forest))],
        sample=sample,
        options=BuildOptions(target="target", refinements=refinements),
    )

    assert built.signature.input("petal length (cm)").help == "Longest petal"


class Runs:
    """A pickle that calls a function as it is opened."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def test_a_pickle_that_runs_code_touches_nothing(sandbox: Sandbox, tmp_path: Any) -> None:
    canary = tmp_path / "canary"
    tmp_path.chmod(0o777)
    data = pickled(Runs(os.system, f"touch {canary}"))

    with pytest.raises(InferenceError):
        build(sandbox, files=[("evil.pkl", data)])
    assert not canary.exists()

    # The control: outside, the same pickle does what it wants.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        joblib.load(io.BytesIO(data))  # noqa: TID251 - the test's own harmless file
    assert canary.exists()


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (Runs(bytes, 1 << 40), (JobOutOfMemory, UnreadableArtifact)),
        (Runs(os.kill, 0, signal.SIGKILL), InferenceError),
        (Runs(exec, "while True: pass"), (JobTimedOut, JobCrashed)),
        (Runs(exec, "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()"), InferenceError),
        (Runs(os._exit, 0), JobCrashed),
        (Runs(print, "hello" * 1_000_000), UnsupportedModel),
    ],
)
def test_hostile_pickles_cost_a_child_and_no_more(
    sandbox: Sandbox, forest: RandomForestClassifier, monkeypatch: pytest.MonkeyPatch, payload: Runs, kind: Any
) -> None:
    run = sandbox.run
    hurried = Limits(cpu_s=2, wall_s=4.0)
    monkeypatch.setattr(sandbox, "run", lambda job, payload, **_: run(job, payload, limits=hurried))

    with pytest.raises(kind):
        build(sandbox, files=[("evil.pkl", pickled(payload))])

    monkeypatch.undo()
    assert build(sandbox, files=[("good.pkl", pickled(forest))]).runtime == "onnx"


@pytest.mark.parametrize(
    ("data", "kind", "word"),
    [
        (b"", UnreadableArtifact, "empty"),
        (b"hello world", UnreadableArtifact, "none of the known formats"),
        (pickled(LogisticRegression()), NotFitted, "not fitted"),
        (pickled({"model": 1}), UnsupportedModel, "dict"),
        (pickled(np.zeros(3)), UnsupportedModel, "array"),
        (b"\x80\x02cnot_installed_here.models\nForest\n)\x81.", MissingPackage, "not_installed_here"),
        (b"\x80\x02c__main__\nfeatures\n.", UnsupportedModel, "script"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(
    sandbox: Sandbox, data: bytes, kind: type[ArtifactError], word: str
) -> None:
    with pytest.raises(kind) as caught:
        build(sandbox, files=[("model.pkl", data)])

    assert word in caught.value.message


def test_another_version_of_scikit_learn_is_named(sandbox: Sandbox, forest: RandomForestClassifier) -> None:
    import sklearn

    older = pickled(forest).replace(sklearn.__version__.encode(), b"1.2.0")

    with pytest.raises(VersionMismatch) as caught:
        build(sandbox, files=[("old.pkl", older)])
    assert caught.value.details["found"] == "1.2.0"


@pytest.mark.parametrize(
    ("sample", "word"), [(b"a,b\n1,2\n", "sepal"), (b"", "CSV"), (b"\xff\xfe\x00", "CSV"), (b"a,b\n", "no rows")]
)
def test_a_sample_that_does_not_fit_is_refused(
    sandbox: Sandbox, forest: RandomForestClassifier, sample: bytes, word: str
) -> None:
    with pytest.raises(SampleMismatch) as caught:
        build(sandbox, files=[("m", pickled(forest))], sample=sample)

    assert word in caught.value.message


def test_no_more_than_eight_files_make_a_chain(sandbox: Sandbox) -> None:
    for files in ([], [("m", pickled(1))] * 9):
        with pytest.raises(UnreadableArtifact):
            build(sandbox, files=files)


def test_files_are_packed_and_unpacked_as_they_were() -> None:
    chain = [("scaler.pkl", b"a"), ("model.pkl", b"b")]

    assert unpacked_files(packed_files(chain)) == chain
    assert packed_files([("model.pkl", b"raw")]) == b"raw"
    with pytest.raises(UnreadableArtifact):
        unpacked_files(packed_files(chain)[:-1])
