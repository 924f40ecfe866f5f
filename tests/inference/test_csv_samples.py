"""CSV does not say what its cells are; the estimator says what it learnt."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from foretell.inference.conversion import convert
from foretell.inference.errors import SampleMismatch

N = 40
ANSWERS = np.tile(["low", "high"], N // 2)


def nearest(*encoders: Any) -> Any:
    """Return a pipeline that only the python runtime serves, so that its sample travels as CSV."""
    return make_pipeline(make_column_transformer(*encoders, remainder="passthrough"), KNeighborsClassifier(2))


def as_csv(table: pd.DataFrame) -> bytes:
    return bytes(table.to_csv(index=False).encode())


def taken(estimator: Any, table: pd.DataFrame) -> dict[str, Any]:
    converted = convert(estimator.fit(table, ANSWERS), as_csv(table))
    return {column.name: column for column in converted.signature.inputs}


@pytest.mark.parametrize("words", [["01", "02"], ["NA", "EU"], ["1", "2"], ["True", "False"], ["1e5", "null"]])
def test_words_that_look_like_something_else_are_words_where_words_were_learnt(words: list[str]) -> None:
    table = pd.DataFrame({"region": np.resize(words, N), "x": np.arange(N, dtype=float)})

    column = taken(nearest((OneHotEncoder(), ["region"])), table)["region"]

    assert (column.dtype, sorted(map(str, column.categories))) == ("category", sorted(words))


def test_what_no_encoder_learnt_as_a_word_is_missing_where_pandas_says_so() -> None:
    table = pd.DataFrame({"region": np.resize(["EU", None], N), "x": np.arange(N, dtype=float)})
    estimator = nearest((OneHotEncoder(), ["region"])).fit(table, ANSWERS)

    (region, _) = convert(estimator, table.to_csv(index=False, na_rep="NA").encode()).signature.inputs

    assert (region.categories, region.nullable) == (("EU",), True)


def test_texts_of_digits_are_texts() -> None:
    table = pd.DataFrame({"text": np.resize(["12", "7", "45"], N)})

    assert taken(nearest((CountVectorizer(token_pattern="."), "text")), table)["text"].dtype == "string"


def test_dates_are_dates_where_the_estimator_takes_no_words_there() -> None:
    table = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=N, freq="36h"), "x": np.arange(N, dtype=float)})
    as_numbers = FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": "int64"})

    column = taken(nearest((as_numbers, ["when"])), table)["when"]

    assert (column.dtype, column.example) == ("datetime", "2024-01-01T00:00:00")


def test_a_sample_that_fits_in_no_reading_is_told_as_it_came() -> None:
    table = pd.DataFrame({"a": np.arange(N, dtype=float)})
    estimator = KNeighborsClassifier(2).fit(table, ANSWERS)

    with pytest.raises(SampleMismatch, match=r"'a' holds words .*'2024-01-01'"):
        convert(estimator, as_csv(pd.DataFrame({"a": ["2024-01-01"] * N})))
