import json
from typing import Any

import numpy as np

from foretell.inference.batch import OutputValues, Predictions
from foretell.inference.codec.answers import csv_answer, json_answer
from foretell.inference.codec.csv_rows import parse_csv
from foretell.inference.codec.json_rows import parse_json
from foretell.inference.errors import InputProblem
from foretell.inference.signature import DType, Input, Output, Signature, Task
from tests.inference.signatures import NUMBER

AB = (Input(name="a", dtype=DType.FLOAT, nullable=True), Input(name="b", dtype=DType.BOOL))
SPECIES = Output(name="species", task=Task.MULTICLASS, classes=("setosa", "virginica"), probabilities=True)
IS_LONG = Output(name="is_long", task=Task.BINARY, classes=(False, True), probabilities=True)
LABELS = OutputValues(np.array(["virginica", "setosa"], dtype=object), np.array([[0.1, 0.9], [1.0, 0.0]]))
TRUTHS = OutputValues(np.array([True, False]), np.array([[0.25, 0.75], [0.5, 0.5]]))
NUMBERS = OutputValues(np.array([0.1 + 0.2, np.nan]))
BODY = b'{"instances": [{"a": 1.5, "b": true}, {"b": false}]}'


def signature(*outputs: Output) -> Signature:
    return Signature(inputs=AB, outputs=outputs)


def answer(outputs: tuple[Output, ...], values: dict[str, OutputValues], **options: Any) -> dict[str, Any]:
    found = {"is_single": False, "model": "iris", "version": 1, "id": "0199", **options}
    return json_answer(signature(*outputs), Predictions(values, 2), **found)


def test_a_bare_row_is_answered_by_a_bare_prediction() -> None:
    found = answer((SPECIES,), {"species": LABELS}, is_single=True)

    assert found == {
        "prediction": "virginica",
        "probabilities": {"setosa": 0.1, "virginica": 0.9},
        "model": "iris",
        "version": 1,
        "id": "0199",
    }


def test_rows_are_answered_in_their_order() -> None:
    found = answer((SPECIES,), {"species": LABELS})

    assert list(found) == ["predictions", "probabilities", "model", "version", "id"]
    assert found["predictions"] == ["virginica", "setosa"]
    assert found["probabilities"][1] == {"setosa": 1.0, "virginica": 0.0}


def test_a_regression_has_no_probabilities_and_what_is_not_finite_is_null() -> None:
    found = answer((NUMBER,), {"fare": NUMBERS})

    assert found["predictions"] == [0.30000000000000004, None]
    assert "probabilities" not in found
    assert json.dumps(found, allow_nan=False)


def test_several_outputs_are_answered_by_an_object_for_each_row() -> None:
    found = answer((SPECIES, NUMBER, IS_LONG), {"species": LABELS, "fare": NUMBERS, "is_long": TRUTHS})

    assert found["predictions"][1] == {"species": "setosa", "fare": None, "is_long": False}
    assert found["probabilities"][0] == {
        "species": {"setosa": 0.1, "virginica": 0.9},
        "is_long": {"false": 0.25, "true": 0.75},
    }


def test_a_transformation_is_answered_by_an_object_even_with_one_column() -> None:
    found = answer((Output(name="x0", task=Task.TRANSFORM),), {"x0": NUMBERS}, is_single=True)

    assert found["prediction"] == {"x0": 0.30000000000000004}


def test_warnings_stand_in_the_answer_only_where_there_are_any() -> None:
    warning = InputProblem("a", "out_of_range", "Found 9; the training data had values from 0 to 1.")

    assert answer((NUMBER,), {"fare": NUMBERS}, warnings=[warning])["warnings"] == [
        {"attr": "a", "code": "out_of_range", "detail": "Found 9; the training data had values from 0 to 1."}
    ]
    assert "warnings" not in answer((NUMBER,), {"fare": NUMBERS})


def test_integers_words_and_truths_are_plain_python() -> None:
    counts = Output(name="k", task=Task.CLUSTERING, classes=(0, 1))

    assert [type(value) for value in answer((counts,), {"k": OutputValues(np.array([0, 1]))})["predictions"]] == [
        int
    ] * 2


def test_csv_rows_come_back_cell_by_cell_with_the_answer_beside_them() -> None:
    rows = parse_csv(signature(SPECIES), b'\xef\xbb\xbfb,a\r\ntrue,1.50\r\n"False",\r\n')

    body = csv_answer(signature(SPECIES), rows.batch, Predictions({"species": LABELS}, 2), table=rows.table)

    assert body.decode() == (
        "b,a,prediction,probability_setosa,probability_virginica\r\n"
        "true,1.50,virginica,0.1,0.9\r\n"
        "False,,setosa,1.0,0.0\r\n"
    )


def test_json_rows_can_be_answered_as_csv_too() -> None:
    rows = parse_json(signature(NUMBER), BODY)

    body = csv_answer(signature(NUMBER), rows.batch, Predictions({"fare": NUMBERS}, 2))

    assert body.decode() == "a,b,prediction\r\n1.5,true,0.30000000000000004\r\n,false,\r\n"


def test_several_outputs_have_columns_of_their_own() -> None:
    rows = parse_json(signature(NUMBER, IS_LONG), BODY)

    body = csv_answer(
        rows_signature := signature(NUMBER, IS_LONG), rows.batch, Predictions({"fare": NUMBERS, "is_long": TRUTHS}, 2)
    )

    assert rows_signature.outputs[0] is NUMBER
    header = "a,b,prediction_fare,prediction_is_long,probability_is_long_false,probability_is_long_true"
    assert body.decode().splitlines()[:2] == [header, "1.5,true,0.30000000000000004,true,0.25,0.75"]


def test_an_answer_never_takes_the_name_of_a_column_that_is_there() -> None:
    taken = Signature(inputs=(Input(name="prediction", dtype=DType.FLOAT),), outputs=(NUMBER,))
    rows = parse_csv(taken, b"prediction\n1\n2\n")

    body = csv_answer(taken, rows.batch, Predictions({"fare": NUMBERS}, 2), table=rows.table)

    assert body.decode().splitlines()[0] == "prediction,prediction_"


def test_the_same_answer_is_the_same_bytes() -> None:
    values = {"species": LABELS}

    assert json.dumps(answer((SPECIES,), values)) == json.dumps(answer((SPECIES,), values))
