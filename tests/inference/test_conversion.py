"""Whatever runtime conversion chooses, a version answers as its author's estimator does."""

import functools
import io
import runpy
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import DBSCAN
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from foretell.inference import formats, jobs
from foretell.inference.batch import Batch, Predictions
from foretell.inference.conversion import ConvertedModel, convert
from foretell.inference.conversion.samples import sample_batch
from foretell.inference.errors import ArtifactError, NotFitted, SampleMismatch, UnsupportedModel
from foretell.inference.graph_checks import check_graph
from foretell.inference.runtimes.onnx import OnnxRuntime
from foretell.inference.signature import Task
from foretell.inference.wire import pack_batch, unpack_predictions

ROOT = Path(__file__).resolve().parents[2]
KINDS = runpy.run_path(str(ROOT / "tools" / "model_kinds.py"))["KINDS"]
TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def _quiet_libraries() -> Iterator[None]:
    """Training is the tests' own affair: its warnings about convergence say nothing about conversion."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what answers a batch as the chosen runtime would; the python one by its worker's own function, in process."""

    def serve(converted: ConvertedModel, estimator: Any, batch: Batch) -> Predictions:
        if converted.graph is not None:
            check_graph(converted.graph)
            return OnnxRuntime(converted.graph, converted.signature).run(batch)
        monkeypatch.setattr(formats, "inside", lambda: True)
        buffer = io.BytesIO()
        joblib.dump(estimator, buffer)
        opening = {"files": [{"name": "model", "data": buffer.getvalue()}], "signature": converted.signature.to_json()}
        answer = jobs.run_server(opening)({"batch": pack_batch(batch)})
        return unpack_predictions(converted.signature, answer["answers"], n_rows=batch.n_rows)

    return serve


@functools.cache
def iris() -> tuple[pd.DataFrame, Any]:
    bunch = load_iris(as_frame=True)
    return bunch.data, bunch.target_names[bunch.target].astype(object)


@functools.cache
def cancer() -> tuple[pd.DataFrame, Any]:
    bunch = load_breast_cancer(as_frame=True)
    return bunch.data, bunch.target.to_numpy()


def assert_same(estimator: Any, rows: Any, answers: Predictions, task: Task) -> None:
    """Compare with the estimator asked directly, by nothing of Foretell's."""
    outputs = list(answers.outputs.values())
    if task is Task.TRANSFORM:
        expected = np.asarray(estimator.transform(rows))
        np.testing.assert_allclose(
            np.column_stack([output.values for output in outputs]), expected, rtol=0, atol=TOLERANCE
        )
        return
    expected = np.asarray(estimator.predict(rows)).reshape(len(rows), len(outputs))
    for position, output in enumerate(outputs):
        if output.values.dtype.kind == "f":
            np.testing.assert_allclose(output.values, expected[:, position].astype(float), rtol=0, atol=TOLERANCE)
        else:
            assert output.values.tolist() == expected[:, position].tolist()
    _assert_same_probabilities(estimator, rows, outputs)


def _assert_same_probabilities(estimator: Any, rows: Any, outputs: list[Any]) -> None:
    if not any(output.probabilities is not None for output in outputs):
        assert not hasattr(estimator, "predict_proba")
        return
    expected = estimator.predict_proba(rows)
    blocks = expected if isinstance(expected, list) else [expected]
    for block, output in zip(blocks, outputs, strict=True):
        np.testing.assert_allclose(output.probabilities, block, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_every_kind_answers_as_its_estimator_on_every_row(kind: Any, served: Any) -> None:
    estimator, rows = kind.fitted()

    converted = convert(estimator, rows)

    batch = sample_batch(converted.signature, rows)
    assert batch.n_rows == len(rows)
    assert_same(estimator, rows, served(converted, estimator, batch), converted.signature.task)


def test_there_are_at_least_45_kinds() -> None:
    assert len({kind.name for kind in KINDS}) >= 45


def test_most_kinds_are_served_by_a_graph() -> None:
    """The usual ones are exact as graphs; who changes that should notice."""
    usual = {
        "LogisticRegression",
        "RandomForestClassifier",
        "titanic: LogisticRegression",
        "titanic: RandomForestClassifier",
        "RandomForestRegressor",
        "SVR",
    }

    for kind in KINDS:
        if kind.name in usual:
            assert convert(*kind.fitted()).runtime == "onnx", kind.name


RANDOM = {
    "logistic": lambda seed: LogisticRegression(max_iter=200),
    "bayes": lambda seed: GaussianNB(),
    "tree": lambda seed: DecisionTreeClassifier(random_state=seed, max_depth=seed % 7 + 1),
    "forest": lambda seed: RandomForestClassifier(seed % 9 + 1, random_state=seed),
    "scaled forest": lambda seed: make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=seed)),
    "boosting": lambda seed: make_pipeline(
        MinMaxScaler(), GradientBoostingClassifier(n_estimators=5, random_state=seed)
    ),
    "neighbours": lambda seed: KNeighborsClassifier(seed % 4 + 1),
    "vectors": lambda seed: SVC(C=seed % 3 + 0.5),
}
RANDOM_NUMBERS = {
    "linear": lambda seed: LinearRegression(),
    "ridge": lambda seed: make_pipeline(StandardScaler(), Ridge(alpha=seed % 5 + 0.1)),
    "tree": lambda seed: DecisionTreeRegressor(random_state=seed),
    "trees": lambda seed: make_pipeline(StandardScaler(), ExtraTreesRegressor(4, random_state=seed)),
    "histogram": lambda seed: HistGradientBoostingRegressor(max_iter=4, min_samples_leaf=2, random_state=seed),
    "vectors": lambda seed: SVR(),
}


def random_rows(seed: int, n_features: int, *, decimals: int, draw: int = 0) -> pd.DataFrame:
    """Return rows on a grid, so that values coincide with one another and with thresholds; another draw, other rows."""
    scales = 10.0 ** np.random.default_rng(seed).integers(-2, 4, n_features)
    values = np.random.default_rng([seed, draw]).normal(size=(60, n_features)) * scales
    return pd.DataFrame(np.round(values, decimals), columns=[f"f {i}" for i in range(n_features)])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(RANDOM)),
    seed=st.integers(0, 10_000),
    n_features=st.integers(1, 5),
    n_classes=st.integers(2, 4),
    decimals=st.integers(0, 8),
)
def test_random_classifiers_on_random_rows(
    served: Any, kind: str, seed: int, n_features: int, n_classes: int, decimals: int
) -> None:
    rows = random_rows(seed, n_features, decimals=decimals)
    labels = np.array([f"class {i % n_classes}" for i in range(len(rows))], dtype=object)
    estimator = RANDOM[kind](seed).fit(rows, labels)

    converted = convert(estimator, rows)

    others = random_rows(seed, n_features, decimals=decimals, draw=1)
    assert_same(
        estimator,
        others,
        served(converted, estimator, sample_batch(converted.signature, others)),
        converted.signature.task,
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(RANDOM_NUMBERS)),
    seed=st.integers(0, 10_000),
    n_features=st.integers(1, 5),
    scale=st.integers(-3, 4),
)
def test_random_regressors_on_random_rows(served: Any, kind: str, seed: int, n_features: int, scale: int) -> None:
    rows = random_rows(seed, n_features, decimals=3)
    target = np.random.default_rng(seed).normal(size=len(rows)) * 10.0**scale
    estimator = RANDOM_NUMBERS[kind](seed).fit(rows, target)

    converted = convert(estimator, rows)

    others = random_rows(seed, n_features, decimals=3, draw=1)
    assert_same(
        estimator,
        others,
        served(converted, estimator, sample_batch(converted.signature, others)),
        converted.signature.task,
    )


def test_float64_stays_float64_within_the_runtime(served: Any) -> None:
    """One column, scaled and weighted: the runtime's own fusions would keep the factor in float32."""
    rows = random_rows(0, 1, decimals=3)
    estimator = make_pipeline(StandardScaler(), Ridge(alpha=0.1)).fit(rows, np.arange(60.0))

    converted = convert(estimator, rows)

    far = rows * 1e6
    answers = served(converted, estimator, sample_batch(converted.signature, far))
    np.testing.assert_allclose(answers.outputs["prediction"].values, estimator.predict(far), rtol=1e-14)


def test_without_a_sample_a_model_converts_from_what_it_knows_of_itself() -> None:
    rows, target = iris()
    estimator = RandomForestClassifier(10, random_state=1).fit(rows, target)

    converted = convert(estimator)

    assert converted.runtime == "onnx"
    assert [column.name for column in converted.signature.inputs] == list(rows.columns)
    assert converted.parity.rows > 0


def test_an_estimator_fitted_on_a_bare_array_converts() -> None:
    rows, target = iris()
    estimator = LogisticRegression(max_iter=5_000).fit(rows.to_numpy(), target)

    assert convert(estimator, rows).runtime == "onnx"
    assert convert(estimator).runtime == "onnx"


def test_fitted_steps_become_one_model() -> None:
    rows, target = iris()
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression().fit(scaler.transform(rows), target)

    converted = convert([scaler, model], rows)

    assert converted.graph is not None
    answers = OnnxRuntime(converted.graph, converted.signature).run(sample_batch(converted.signature, rows))
    assert next(iter(answers.outputs.values())).values.tolist() == model.predict(scaler.transform(rows)).tolist()


def test_classes_keep_their_types() -> None:
    rows, target = cancer()
    for labels in (target, target.astype(bool), np.where(target == 1, "good", "bad").astype(object), target * 10 - 5):
        converted = convert(GaussianNB().fit(rows, labels), rows)
        assert converted.graph is not None
        values = next(
            iter(
                OnnxRuntime(converted.graph, converted.signature)
                .run(sample_batch(converted.signature, rows[:5]))
                .outputs.values()
            )
        ).values
        assert [type(value) for value in values.tolist()] == [type(label) for label in labels[:5].tolist()]


def test_the_authors_estimator_stays_as_it_was() -> None:
    kind = next(kind for kind in KINDS if kind.name == "titanic: LogisticRegression")
    estimator, rows = kind.fitted()
    before = joblib.hash(estimator)

    convert(estimator, rows)

    assert joblib.hash(estimator) == before


def test_an_inexact_graph_is_refused_with_the_reason_and_the_way_to_accept_it() -> None:
    kind = next(kind for kind in KINDS if kind.name == "KNeighborsClassifier")
    estimator, rows = kind.fitted()

    refused = convert(estimator, rows)
    accepted = convert(estimator, rows, accept_difference=0.5)

    assert refused.runtime == "python"
    assert refused.graph is None
    assert "accept_difference=" in refused.reason
    assert "differ" in refused.reason
    assert accepted.runtime == "onnx"
    assert "accepts" in accepted.reason


def test_a_kind_without_a_converter_says_so() -> None:
    kind = next(kind for kind in KINDS if kind.name == "NearestCentroid")

    assert "no converter for NearestCentroid" in convert(*kind.fitted()).reason


@pytest.mark.parametrize("vectoriser", [TfidfVectorizer(), CountVectorizer(), HashingVectorizer(n_features=64)])
def test_texts_are_served(served: Any, vectoriser: Any) -> None:
    words = ["good film", "bad film", "a great film, truly good", "awful, bad, wrong"] * 10
    texts = pd.DataFrame({"text": [f"{text} {number}" for number, text in enumerate(words)]})
    estimator = make_pipeline(vectoriser, LogisticRegression()).fit(texts["text"], [1, 0] * 20)

    converted = convert(estimator, texts)

    answers = served(converted, estimator, sample_batch(converted.signature, texts))
    assert_same(estimator, texts["text"], answers, converted.signature.task)


class Fussy(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """An estimator of the author's own."""

    def fit(self, rows: Any, target: Any) -> "Fussy":
        self.classes_ = np.unique(target)
        self.n_features_in_ = 4
        return self

    def predict(self, rows: Any) -> Any:
        return np.where(np.asarray(rows)[:, 0] > 5.8, self.classes_[-1], self.classes_[0])


def test_an_estimator_of_ones_own_is_served_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    converted = convert(Fussy().fit(*iris()), iris()[0])

    assert converted.runtime == "python"
    assert len(converted.reason) < 500
    assert capsys.readouterr() == ("", "")


def test_a_converted_model_travels_as_json() -> None:
    rows, target = iris()
    converted = convert(LogisticRegression(max_iter=5_000).fit(rows, target), rows)

    again = ConvertedModel.from_json(converted.to_json(), graph=converted.graph)

    assert again.signature == converted.signature
    assert again.to_json() == converted.to_json()
    assert 0 < len(again.examples) <= 64
    assert again.libraries["scikit-learn"]


@pytest.mark.parametrize(
    ("handed_over", "kind", "word"),
    [
        (LogisticRegression(), NotFitted, "not fitted"),
        (make_pipeline(StandardScaler(), LogisticRegression()), NotFitted, "not fitted"),
        ({"model": LogisticRegression()}, UnsupportedModel, "dict"),
        (("model", 1), UnsupportedModel, "tuple"),
        (np.zeros(3), UnsupportedModel, "array"),
        (pd.DataFrame({"a": [1]}), UnsupportedModel, "table"),
        (len, UnsupportedModel, "fitted estimator"),
        (LogisticRegression, UnsupportedModel, "class"),
        ("model.joblib", UnsupportedModel, "str"),
        (None, UnsupportedModel, "NoneType"),
        (DBSCAN(), UnsupportedModel, "neither predict"),
        ([LogisticRegression(), StandardScaler()], NotFitted, "not fitted"),
    ],
)
def test_what_is_no_fitted_estimator_is_refused_in_words(
    handed_over: Any, kind: type[ArtifactError], word: str
) -> None:
    with pytest.raises(kind) as caught:
        convert(handed_over, iris()[0])

    assert word in caught.value.message


def test_a_chain_in_the_wrong_order_is_refused() -> None:
    rows, target = iris()
    chain = [LogisticRegression(max_iter=5_000).fit(rows, target), StandardScaler().fit(rows)]

    with pytest.raises(UnsupportedModel, match="the model last"):
        convert(chain, rows)


def test_a_sample_without_the_columns_is_refused_by_their_names() -> None:
    rows, target = iris()
    estimator = LogisticRegression(max_iter=5_000).fit(rows, target)

    with pytest.raises(SampleMismatch, match="petal width"):
        convert(estimator, rows.drop(columns=["petal width (cm)"]))


def test_a_sample_of_words_where_numbers_were_learnt_is_refused() -> None:
    rows, target = iris()
    estimator = LogisticRegression(max_iter=5_000).fit(rows, target)

    with pytest.raises(SampleMismatch):
        convert(estimator, rows.assign(**{"petal width (cm)": "wide"}))
