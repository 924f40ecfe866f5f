from datetime import datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

from foretell.inference.codec.objects import parse_objects
from foretell.inference.columns import batch_to_json
from foretell.inference.conversion.samples import sample_batch
from foretell.inference.errors import InvalidSignature, NotFitted, SampleMismatch, UnsupportedModel
from foretell.inference.signature import DType, Signature, Task
from foretell.inference.signature_inference import infer_signature


class Count(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Takes rows of any kind, and says nothing about them."""

    def fit(self, rows: Any, target: Any = None) -> "Count":
        self.is_fitted_ = True
        return self

    def predict(self, rows: Any) -> Any:
        return np.arange(len(rows), dtype=float)


TITANIC = Path(__file__).resolve().parents[2] / "examples" / "titanic" / "titanic.csv"
NUMBERS = ["age", "sibsp", "parch", "fare"]


@pytest.fixture(scope="module")
def passengers() -> pd.DataFrame:
    return pd.read_csv(TITANIC)


@pytest.fixture(scope="module")
def pipeline(passengers: pd.DataFrame) -> Any:
    """The pipeline of many a tutorial: raw columns in, the name dropped."""
    ports = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            ("ports", ports, ["embarked"]),
            ("sex", OneHotEncoder(), ["sex"]),
            ("class", "passthrough", ["pclass"]),
        ]
    )
    features = passengers.drop(columns="survived")
    return make_pipeline(columns, LogisticRegression(max_iter=1_000)).fit(features, passengers["survived"])


@pytest.fixture(scope="module")
def iris() -> tuple[pd.DataFrame, Any]:
    bunch = load_iris(as_frame=True)
    return bunch.data, bunch.target_names[bunch.target]


def dtypes(signature: Signature) -> dict[str, str]:
    return {source.name: source.dtype.value + ("?" if source.nullable else "") for source in signature.inputs}


def test_a_pipeline_of_raw_columns_says_what_each_of_them_is(pipeline: Any, passengers: pd.DataFrame) -> None:
    signature = infer_signature(pipeline, passengers, target="survived")

    assert dtypes(signature) == {
        "pclass": "int",
        "sex": "category",
        "age": "float?",
        "sibsp": "int?",
        "parch": "int?",
        "fare": "float?",
        "embarked": "category?",
    }
    sex, embarked = signature.input("sex"), signature.input("embarked")
    assert (sex.categories, sex.closed) == (("female", "male"), True)
    assert (embarked.categories, embarked.closed) == (("C", "Q", "S"), False)
    assert signature.input("age").range == (0.42, 80.0)
    assert len(signature.input("fare").quantiles) == 7
    (output,) = signature.outputs
    assert (output.name, output.task, output.classes, output.probabilities) == ("survived", Task.BINARY, (0, 1), True)
    assert Signature.from_json(signature.to_json()) == signature


def test_a_dropped_column_is_no_input_and_the_estimator_answers_without_it(
    pipeline: Any, passengers: pd.DataFrame
) -> None:
    signature = infer_signature(pipeline, passengers)

    names = [source.name for source in signature.inputs]
    assert "name" in pipeline.feature_names_in_
    assert "name" not in names
    assert list(pipeline.predict(passengers[names])) == list(pipeline.predict(passengers))


def test_a_column_that_is_chosen_by_position_keeps_all_columns(passengers: pd.DataFrame) -> None:
    columns = make_column_transformer((SimpleImputer(), [3, 6]))
    features = passengers.drop(columns="survived")
    model = make_pipeline(columns, LogisticRegression()).fit(features, passengers["survived"])

    signature = infer_signature(model, passengers, target="survived")

    assert [source.name for source in signature.inputs] == list(features.columns)


def test_columns_may_be_chosen_by_their_dtype(passengers: pd.DataFrame) -> None:
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder())
    columns = make_column_transformer(
        (words, make_column_selector(dtype_exclude="number")),
        (SimpleImputer(), make_column_selector(dtype_include="number")),
    )
    features = passengers[["sex", "embarked", "age"]]
    model = make_pipeline(columns, LogisticRegression()).fit(features, passengers["survived"])

    assert dtypes(infer_signature(model, features)) == {"sex": "category?", "embarked": "category?", "age": "float?"}


def test_without_a_sample_the_estimator_alone_is_asked(pipeline: Any) -> None:
    signature = infer_signature(pipeline)

    assert dtypes(signature)["sex"] == "category"
    assert dtypes(signature)["age"] == "float?"
    assert signature.input("sex").categories == ("female", "male")
    assert signature.outputs[0].probabilities


def test_floats_stay_floats_and_the_names_are_those_of_training(iris: Any) -> None:
    rows, species = iris
    signature = infer_signature(RandomForestClassifier(10).fit(rows, species), rows)

    assert dtypes(signature) == dict.fromkeys(rows.columns, "float")
    assert signature.outputs[0].classes == ("setosa", "versicolor", "virginica")


def test_an_estimator_fitted_on_an_array_has_numbered_inputs_or_the_names_of_the_sample(iris: Any) -> None:
    rows, species = iris
    model = LogisticRegression(max_iter=1_000).fit(rows.to_numpy(), species)

    assert list(dtypes(infer_signature(model))) == ["x0", "x1", "x2", "x3"]
    assert list(dtypes(infer_signature(model, rows))) == list(rows.columns)
    assert list(dtypes(infer_signature(model, pd.DataFrame(rows.to_numpy())))) == ["0", "1", "2", "3"]


def test_a_category_that_may_be_missing_was_missing_in_training() -> None:
    ports = pd.DataFrame({"port": ["S", None, "C", "S"]})
    learnt = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(ports, [0, 1, 0, 1])
    never = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(ports.dropna(), [0, 1, 0])

    assert dtypes(infer_signature(learnt, ports)) == {"port": "category?"}
    assert infer_signature(learnt, ports).inputs[0].categories == ("C", "S")
    assert dtypes(infer_signature(never, ports)) == {"port": "category"}


def test_categories_of_numbers_are_whole_again_where_gaps_made_them_floats() -> None:
    decks = pd.DataFrame({"deck": [1.0, np.nan, 3.0, 1.0]})
    model = make_pipeline(OrdinalEncoder(), HistGradientBoostingClassifier()).fit(decks, [0, 1, 0, 1])

    deck = infer_signature(model, decks).inputs[0]

    assert (deck.dtype, deck.categories, deck.nullable) == (DType.CATEGORY, (1, 3), True)


def test_boosters_take_gaps_and_others_do_not(iris: Any) -> None:
    rows, species = iris
    booster = HistGradientBoostingClassifier(max_iter=2).fit(rows, species)
    linear = LogisticRegression(max_iter=1_000).fit(rows, species)
    with_gap = rows.where(rows > rows.min())

    assert set(dtypes(infer_signature(booster, rows)).values()) == {"float?"}
    assert set(dtypes(infer_signature(linear, with_gap)).values()) == {"float"}


def test_categories_of_pandas_are_the_categories() -> None:
    rows = pd.DataFrame({"port": pd.Categorical(["S", "C"] * 20, categories=["C", "Q", "S"]), "n": range(40)})
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, min_child_samples=1).fit(rows, [0, 1] * 20)

    port = infer_signature(model, rows).input("port")

    assert (port.dtype, port.categories, port.closed, port.nullable) == (DType.CATEGORY, ("C", "Q", "S"), False, True)


def test_lightgbm_gets_the_names_back_that_it_respelt(iris: Any) -> None:
    rows, species = iris
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(rows, species)

    assert list(dtypes(infer_signature(model, rows[reversed(rows.columns)]))) == list(rows.columns)


def test_truths_dates_and_texts_keep_their_dtype() -> None:
    rows = pd.DataFrame(
        {
            "at": pd.date_range("2024-01-01", periods=8),
            "is_new": [True, False] * 4,
            "note": [f"note {position}" for position in range(8)],
            "port": ["C", "S"] * 4,
        }
    )
    months = FunctionTransformer(lambda frame: frame[["at"]].assign(at=frame["at"].dt.month))
    model = make_pipeline(months, LinearRegression()).fit(rows, range(8))

    signature = infer_signature(model, rows)

    assert dtypes(signature) == {"at": "datetime", "is_new": "bool", "note": "string", "port": "category"}
    assert not signature.input("port").closed
    assert signature.input("at").example == "2024-01-01T00:00:00"


def test_a_vectoriser_takes_one_text() -> None:
    rows = pd.DataFrame({"text": ["good day", "bad day"] * 4, "label": ["+", "-"] * 4})
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(rows["text"], rows["label"])

    assert dtypes(infer_signature(model, rows, target="label")) == {"text": "string"}
    assert dtypes(infer_signature(model)) == {"text": "string"}


@pytest.mark.parametrize(
    ("make", "task", "classes", "probabilities"),
    [
        (lambda rows: LinearRegression().fit(rows, range(150)), Task.REGRESSION, (), False),
        (lambda rows: KMeans(3, n_init=1).fit(rows), Task.CLUSTERING, (0, 1, 2), False),
        (lambda rows: GaussianMixture(2).fit(rows), Task.CLUSTERING, (0, 1), True),
        (lambda rows: IsolationForest(n_estimators=5).fit(rows), Task.BINARY, (-1, 1), False),
        (lambda rows: SVC().fit(rows, [True, False, True] * 50), Task.BINARY, (False, True), False),
        (lambda rows: GridSearchCV(SVC(), {"C": [1]}).fit(rows, ["a", "b", "c"] * 50), Task.MULTICLASS, ("a", "b", "c"), False),
    ],
    ids=["regression", "k-means", "mixture", "outliers", "truths", "search"],
)  # fmt: skip
def test_each_kind_of_estimator_has_its_task(
    iris: Any, make: Any, task: Task, classes: Any, probabilities: bool
) -> None:
    (output,) = infer_signature(make(iris[0]), iris[0]).outputs

    assert (output.name, output.task, output.classes, output.probabilities) == (
        "prediction",
        task,
        classes,
        probabilities,
    )


def test_several_outputs_have_their_own_classes(iris: Any) -> None:
    rows, species = iris
    labels = np.column_stack([np.unique(species, return_inverse=True)[1], rows.iloc[:, 0] > 5.8])

    for model in (MultiOutputClassifier(LogisticRegression(max_iter=1_000)), RandomForestClassifier(5)):
        first, second = infer_signature(model.fit(rows, labels), rows).outputs
        assert (first.name, first.task, first.classes) == ("y0", Task.MULTICLASS, (0, 1, 2))
        assert (second.name, second.task, second.classes) == ("y1", Task.BINARY, (0, 1))


def test_a_regression_may_answer_several_numbers(iris: Any) -> None:
    rows, _ = iris
    model = LinearRegression().fit(rows, rows.iloc[:, :2])

    assert [output.name for output in infer_signature(model, rows).outputs] == ["y0", "y1"]
    assert [output.name for output in infer_signature(model).outputs] == ["y0", "y1"]


def test_a_transformer_answers_the_columns_that_it_makes(iris: Any) -> None:
    signature = infer_signature(PCA(2).fit(iris[0]), iris[0])

    assert [(output.name, output.task) for output in signature.outputs] == [
        ("pca0", Task.TRANSFORM),
        ("pca1", Task.TRANSFORM),
    ]


def test_probabilities_are_promised_only_where_they_work(iris: Any) -> None:
    class Broken(LogisticRegression):  # type: ignore[misc]  # scikit-learn is untyped
        def predict_proba(self, X: Any) -> Any:
            raise NotImplementedError

    rows, species = iris

    assert not infer_signature(Broken(max_iter=1_000).fit(rows, species), rows).outputs[0].probabilities


def test_an_unfitted_estimator_is_refused() -> None:
    with pytest.raises(NotFitted, match="LogisticRegression is not fitted: call fit"):
        infer_signature(LogisticRegression())
    with pytest.raises(NotFitted, match="Pipeline"):
        infer_signature(make_pipeline(StandardScaler(), LogisticRegression()))


def test_a_sample_without_the_columns_is_refused_and_both_sides_are_listed(
    pipeline: Any, passengers: pd.DataFrame
) -> None:
    with pytest.raises(SampleMismatch, match=r"lacks .*: age, fare. It has besides: name, survived, height") as refusal:
        infer_signature(pipeline, passengers.drop(columns=["age", "fare"]).assign(height=1))

    assert refusal.value.details["missing"] == ["age", "fare"]


def test_columns_besides_those_of_training_do_no_harm(pipeline: Any, passengers: pd.DataFrame) -> None:
    assert infer_signature(pipeline, passengers.assign(height=1)) == infer_signature(pipeline, passengers)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"age": "old"}, r"'age' holds words \('old', 'old', 'old'\), but the estimator learnt numbers"),
        ({"pclass": "first"}, r"'pclass' holds words .* numbers"),
        ({"sex": 1}, r"'sex' holds numbers \(1, 1, 1\), but the estimator learnt words \(such as 'female', 'male'\)"),
        ({"fare": pd.Timestamp("2024-01-01")}, "'fare' holds dates"),
        ({"age": 1j}, "'age' holds values of the kind 'complex'"),
    ],
    ids=["words", "words for a class", "numbers", "dates", "complex"],
)
def test_a_column_of_another_kind_than_was_learnt_is_refused_by_name(
    pipeline: Any, passengers: pd.DataFrame, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(SampleMismatch, match=message):
        infer_signature(pipeline, passengers.assign(**changed))


def test_words_among_numbers_are_refused_by_name(iris: Any) -> None:
    rows, species = iris
    model = LogisticRegression(max_iter=1_000).fit(rows, species)
    mixed = rows.astype(object)
    mixed.iloc[0, 2] = "long"

    with pytest.raises(SampleMismatch, match=r"'petal length \(cm\)' holds values of the kind 'mixed"):
        infer_signature(model, mixed)


def test_a_sample_of_another_width_is_refused(iris: Any) -> None:
    rows, species = iris
    model = LogisticRegression(max_iter=1_000).fit(rows.to_numpy(), species)

    with pytest.raises(
        SampleMismatch, match=r"fitted on 4 columns, but the sample has 5.*If one of them is the target"
    ):
        infer_signature(model, rows.assign(species=species))
    with pytest.raises(SampleMismatch, match="fitted on 4 columns, but the sample has 3"):
        infer_signature(model, rows.iloc[:, :3])


def test_an_empty_sample_and_one_with_a_name_twice_are_refused(iris: Any) -> None:
    rows, species = iris
    model = LogisticRegression(max_iter=1_000).fit(rows, species)

    with pytest.raises(SampleMismatch, match="no rows"):
        infer_signature(model, rows.iloc[:0])
    with pytest.raises(SampleMismatch, match="two columns called"):
        infer_signature(model, pd.concat([rows, rows], axis=1))


def test_an_estimator_that_does_not_say_its_columns_needs_a_sample() -> None:
    rows = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    model = Count().fit(rows)

    assert dtypes(infer_signature(model, rows)) == {"a": "int", "b": "int"}
    with pytest.raises(UnsupportedModel, match="Count does not say how many columns"):
        infer_signature(model)


CELLS: list[st.SearchStrategy[Any]] = [
    st.floats() | st.none(),
    st.integers(-(2**70), 2**70),
    st.integers(-9, 9) | st.none(),
    st.booleans() | st.none(),
    st.text(max_size=4) | st.none(),
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)) | st.none(),  # noqa: DTZ001 - without a zone, as in samples
    st.integers() | st.text(max_size=2) | st.floats() | st.binary(max_size=2),
]


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    n_rows = draw(st.integers(1, 8))
    names = draw(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), min_size=1, max_size=4, unique=True)
    )
    cells = {name: draw(st.lists(draw(st.sampled_from(CELLS)), min_size=n_rows, max_size=n_rows)) for name in names}
    return pd.DataFrame({name: pd.Series(values) for name, values in cells.items()})


@given(frames())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_frame_becomes_a_signature_that_takes_its_rows_or_is_refused_by_name(frame: pd.DataFrame) -> None:
    try:
        signature = infer_signature(Count().fit(frame), frame)
        batch = sample_batch(signature, frame)
    except (SampleMismatch, InvalidSignature):
        return
    columns = batch_to_json(batch)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    assert Signature.from_json(signature.to_json()) == signature
    if rows:
        assert batch_to_json(parse_objects(signature, rows).batch) == columns


def test_the_author_s_estimator_stays_as_it_was(pipeline: Any, passengers: pd.DataFrame) -> None:
    before = pipeline.predict_proba(passengers)

    infer_signature(pipeline, passengers)

    assert (pipeline.predict_proba(passengers) == before).all()
