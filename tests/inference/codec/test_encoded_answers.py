"""An answer's bytes are `json_answer` as msgspec writes it, whichever way they were made."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.inference.batch import OutputValues, Predictions
from foretell.inference.codec.answers import encoded_answer, json_answer
from foretell.inference.codec.fast_answers import MAX_FIELDS
from foretell.inference.errors import InputProblem
from foretell.inference.labels import label_dtype
from foretell.inference.signature import Output, Signature, Task
from tests.inference.signatures import PASSENGERS

CLASSES: list[tuple[Any, ...]] = [
    (0, 1), (False, True), (-1.5, 2.0, 1e16), ("setosa", "virginica"), ("é", "日本"), ('a "quoted" one', "b\\c", "tab\t"), ("", " "),
    tuple(range(MAX_FIELDS + 5)), tuple(f"class {number}" for number in range(MAX_FIELDS)),
]  # fmt: skip
SHARES = st.floats(0, 1) | st.sampled_from([0.1 + 0.2, 1e-300, 5e-324, -0.0, float("nan"), float("inf"), 1 / 3])
NUMBERS = st.floats() | st.sampled_from([1e16, 1e22, 123456789012345680.0, 0.1, -0.0])


def classifier(classes: tuple[Any, ...], *, probabilities: bool = True, name: str = "species") -> Output:
    task = Task.BINARY if len(classes) == 2 else Task.MULTICLASS
    return Output(name=name, task=task, classes=classes, probabilities=probabilities)


def answers_of(data: st.DataObject, output: Output, n_rows: int) -> OutputValues:
    if output.task in (Task.REGRESSION, Task.TRANSFORM):
        return OutputValues(np.array(data.draw(st.lists(NUMBERS, min_size=n_rows, max_size=n_rows)), dtype=np.float64))
    labels = data.draw(st.lists(st.sampled_from(output.classes), min_size=n_rows, max_size=n_rows))
    values = np.array(labels, dtype=label_dtype(output.classes))
    if not output.probabilities:
        return OutputValues(values)
    rows = st.lists(SHARES, min_size=3, max_size=3).map(lambda few: (few * len(output.classes))[: len(output.classes)])
    return OutputValues(values, np.array(data.draw(st.lists(rows, min_size=n_rows, max_size=n_rows))))


def assert_same(signature: Signature, predictions: Predictions, **options: Any) -> bytes:
    named = {"model": "iris", "version": 3, "id": "0199", **options}
    body = encoded_answer(signature, predictions, **named)

    assert body == msgspec.json.encode(json_answer(signature, predictions, **named))
    json.loads(body, parse_constant=pytest.fail)  # neither NaN nor Infinity
    return body


@settings(max_examples=150, deadline=None)
@given(data=st.data(), classes=st.sampled_from(CLASSES), n_rows=st.integers(1, 4), has_probabilities=st.booleans())
def test_classes_of_all_kinds(
    data: st.DataObject, classes: tuple[Any, ...], n_rows: int, has_probabilities: bool
) -> None:
    output = classifier(classes, probabilities=has_probabilities)
    signature = Signature(inputs=PASSENGERS.inputs, outputs=(output,))
    predictions = Predictions({output.name: answers_of(data, output, n_rows)}, n_rows)

    assert_same(signature, predictions, is_single=False)
    assert_same(signature, predictions, is_single=True)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), n_rows=st.integers(1, 4), is_single=st.booleans())
def test_numbers_several_outputs_and_transforms(data: st.DataObject, n_rows: int, is_single: bool) -> None:
    fare, alive = Output(name="fare", task=Task.REGRESSION), classifier((False, True), name="alive")
    parts = tuple(Output(name=f"pc {number}", task=Task.TRANSFORM) for number in range(3))
    for outputs in ((fare,), (fare, alive), parts):
        signature = Signature(inputs=PASSENGERS.inputs, outputs=outputs)
        predictions = Predictions({output.name: answers_of(data, output, n_rows) for output in outputs}, n_rows)
        assert_same(signature, predictions, is_single=is_single)


def test_a_model_that_gave_no_probabilities_although_it_states_them_is_answered_without() -> None:
    signature = Signature(inputs=PASSENGERS.inputs, outputs=(classifier(("a", "b")),))

    body = assert_same(
        signature, Predictions({"species": OutputValues(np.array(["a"], dtype=object))}, 1), is_single=True
    )

    assert body == b'{"prediction":"a","model":"iris","version":3,"id":"0199"}'


def test_warnings_come_last_and_names_are_written_as_they_are() -> None:
    signature = Signature(inputs=PASSENGERS.inputs, outputs=(Output(name="fare", task=Task.REGRESSION),))
    predictions = Predictions({"fare": OutputValues(np.array([float("nan"), 1e16]))}, 2)
    warnings = (InputProblem("instances.0.é", "out_of_range", 'Found "9".'),)

    body = assert_same(signature, predictions, is_single=False, warnings=warnings, model="modèle")

    assert body.decode() == (
        '{"predictions":[null,1e16],"model":"modèle","version":3,"id":"0199",'
        '"warnings":[{"attr":"instances.0.é","code":"out_of_range","detail":"Found \\"9\\"."}]}'
    )
