"""Rows in the forms that programs have them in, as the JSON that the server takes."""

import datetime
import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from foretell.client import InvalidArgument
from foretell.client._rows import request_body

TABLE = {"age": [29.0, float("nan")], "sex": ["female", None], "n": [1, 2]}
ROWS = {"instances": [{"age": 29.0, "sex": "female", "n": 1}, {"age": None, "sex": None, "n": 2}]}


def sent(rows: Any) -> Any:
    return json.loads(request_body(rows))


def test_one_row_goes_as_it_is() -> None:
    assert sent({"age": 29, "sex": None}) == {"age": 29, "sex": None}
    assert sent(pd.Series({"age": 29.5})) == {"age": 29.5}


@pytest.mark.parametrize(
    "rows",
    [
        pd.DataFrame(TABLE),
        pl.DataFrame(TABLE),
        pd.DataFrame(TABLE).to_dict(orient="records"),
        (row for row in ROWS["instances"]),
    ],
    ids=["pandas", "polars", "dicts", "iterator"],
)
def test_tables_of_every_kind_are_the_same_rows(rows: Any) -> None:
    assert sent(rows) == ROWS


def test_arrays_go_in_the_order_of_the_signature() -> None:
    assert sent(np.array([[1.5, 2], [3, 4]])) == {"instances": [[1.5, 2.0], [3.0, 4.0]]}
    assert sent([[1, 2], (3, 4), np.array([5, 6])]) == {"instances": [[1, 2], [3, 4], [5, 6]]}


def test_scalars_of_numpy_and_pandas_are_unwrapped() -> None:
    row = {
        "a": np.float32(0.5), "b": np.int64(2), "c": np.bool_(True), "d": pd.NA, "e": pd.NaT, "f": np.float64("nan"),
        "g": pd.Timestamp("2026-01-02"), "h": datetime.date(2026, 1, 2), "i": np.str_("x"),
    }  # fmt: skip

    assert sent(row) == {
        "a": 0.5, "b": 2, "c": True, "d": None, "e": None, "f": None, "g": "2026-01-02T00:00:00", "h": "2026-01-02", "i": "x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"a": float("inf")}, "Infinity"),
        ({"a": {1, 2}}, "no form in JSON"),
        ({"a": "\ud800"}, "surrogate"),
        ("a row", "expected a row"),
        (3, "expected a row"),
        ([1.0, 2.0], "where a row was expected"),
        (np.array([1.0, 2.0]), "where a row was expected"),
    ],
)
def test_what_json_has_no_word_for_is_refused_before_it_is_sent(rows: Any, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        request_body(rows)
