import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import DType, Input, Output, Signature, Task
from foretell.inference.signature_checks import checked
from tests.inference.signatures import NUMBER, PASSENGERS, signatures, taking


@given(signatures())
def test_any_signature_comes_back_from_json_unchanged(signature: Signature) -> None:
    text = json.dumps(signature.to_json(), allow_nan=False)

    back = Signature.from_json(json.loads(text))

    assert back == signature
    assert [type(label) for source in back.inputs for label in source.categories] == [
        type(label) for source in signature.inputs for label in source.categories
    ]


def test_what_is_at_its_default_is_left_out() -> None:
    assert taking(Input(name="a", dtype=DType.FLOAT)).to_json() == {
        "inputs": [{"name": "a", "dtype": "float"}],
        "outputs": [{"name": "fare", "task": "regression"}],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON)
def test_anything_that_is_no_signature_is_refused_by_name(data: Any) -> None:
    with pytest.raises(InvalidSignature):
        Signature.from_json(data)


@given(
    st.sampled_from(
        ["name", "dtype", "nullable", "range", "quantiles", "limits", "categories", "closed", "unit", "help", "example"]
    ),
    JSON,
)
def test_any_value_of_a_field_is_read_or_refused(field: str, value: Any) -> None:
    data = {"inputs": [{"name": "a", "dtype": "float", field: value}], "outputs": [{"name": "y", "task": "regression"}]}

    try:
        signature = Signature.from_json(data)
    except InvalidSignature:
        return

    assert Signature.from_json(signature.to_json()) == signature


def with_input(**fields: Any) -> dict[str, Any]:
    data = taking(Input(name="a", dtype=DType.FLOAT)).to_json()
    data["inputs"][0] |= fields
    return data


def with_output(**fields: Any) -> dict[str, Any]:
    data = taking(Input(name="a", dtype=DType.FLOAT)).to_json()
    data["outputs"][0] |= fields
    return data


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (with_input(dtype="decimal"), "inputs[0].dtype", "float, int, bool"),
        (with_input(dtype=["float"]), "inputs[0].dtype", "a list of 1"),
        (with_input(nullable=1), "inputs[0].nullable", "true or false"),
        (with_input(name=""), "input name", "1 to 500"),
        (with_input(name="a\x00"), "input name", "NUL"),
        (with_input(name="a\ud800"), "input name", "not usable"),
        (with_input(name="a" * 501), "inputs[0].name", "500"),
        (with_input(help="a" * 2_001), "inputs[0].help", "2,000"),
        (with_input(range=[1, 0]), "'a'", "the lesser first"),
        (with_input(range=[float("nan"), 1]), "'a'", "finite"),
        (with_input(range=[0, 10**400]), "inputs[0].range", "64 bits"),
        (with_input(range=[0]), "inputs[0].range", "two numbers"),
        (with_input(range=["0", 1]), "inputs[0].range", "number"),
        (with_input(limits=[None, None]), "'a'", "at least one"),
        (with_input(limits=[2, 1]), "'a'", "the lesser bound first"),
        (with_input(quantiles=[1, 2, 3]), "'a'", "7 finite numbers"),
        (with_input(categories=[1, 2]), "'a'", "dtype category"),
        (with_input(closed=False), "'a'", "only a category"),
        (with_input(dtype="category"), "'a'", "at least one known value"),
        (with_input(dtype="category", categories=["a", 1]), "'a'", "numbers and words"),
        (with_input(dtype="category", categories=[True, False]), "'a'", "booleans"),
        (with_input(dtype="category", categories=[1, 1.0]), "'a'", "twice"),
        (with_input(dtype="category", categories=[None]), "inputs[0].categories", "words"),
        (with_input(dtype="category", categories=[float("inf")]), "'a'", "finite"),
        (with_input(dtype="category", categories=list(range(1_001))), "'a'", "1,000"),
        (with_input(dtype="category", categories=["a"], range=[0, 1]), "'a'", "float and int"),
        (with_input(dtype="category", categories=["a"], example="b"), "'a'", "one of the categories"),
        (with_input(example="1"), "'a'", "float"),
        (with_input(example=2, limits=[0, 1]), "'a'", "within the limits"),
        (with_input(dtype="int", example=1.5), "'a'", "int"),
        (with_input(dtype="bool", example=1), "'a'", "true or false"),
        (with_input(dtype="datetime", example="yesterday"), "'a'", "ISO 8601"),
        (with_input(size=3), "inputs[0]", "'size'"),
        (with_output(task="multi-output"), "'fare'", "task of one output"),
        (with_output(classes=[1, 2]), "'fare'", "has no classes"),
        (with_output(task="binary", classes=[1, 2, 3]), "'fare'", "2 classes"),
        (with_output(task="multiclass", probabilities=True), "'fare'", "no classes"),
        (with_output(task="multiclass", classes=["a", True]), "'fare'", "booleans and words"),
        ({"inputs": []}, "signature", "lacks outputs"),
        ({"inputs": [], "outputs": []}, "inputs", "1 to 2,000"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_with_its_place_and_reason(data: Any, place: str, reason: str) -> None:
    with pytest.raises(InvalidSignature) as refusal:
        Signature.from_json(data)

    assert place in refusal.value.message
    assert reason in refusal.value.message


def test_two_inputs_of_one_name_are_refused() -> None:
    source = Input(name="age", dtype=DType.FLOAT)

    with pytest.raises(InvalidSignature, match="Two inputs are called 'age'"):
        checked(taking(source, source))


def test_categories_are_counted_over_all_inputs() -> None:
    labels = tuple(range(1_000))
    inputs = [Input(name=f"x{position}", dtype=DType.CATEGORY, categories=labels) for position in range(101)]

    assert len(checked(taking(*inputs[:100])).inputs) == 100
    with pytest.raises(InvalidSignature, match="at most 100,000"):
        checked(taking(*inputs))


def test_one_output_answers_a_bare_value_and_several_or_a_transformation_an_object() -> None:
    several = replace(PASSENGERS, outputs=(NUMBER, Output(name="port", task=Task.MULTICLASS, classes=("C", "Q", "S"))))
    transform = replace(PASSENGERS, outputs=(Output(name="x0", task=Task.TRANSFORM),))

    assert (PASSENGERS.task, PASSENGERS.is_scalar) == (Task.BINARY, True)
    assert (several.task, several.is_scalar) == (Task.MULTI_OUTPUT, False)
    assert (transform.task, transform.is_scalar) == (Task.TRANSFORM, False)


def test_an_input_is_found_by_its_name() -> None:
    assert PASSENGERS.input("age").nullable
    with pytest.raises(KeyError):
        PASSENGERS.input("height")


def test_a_large_float_is_the_same_however_a_store_spells_it() -> None:
    written = with_input(example=1.5e20, range=[1e18, 2e20])
    stored = with_input(example=150_000_000_000_000_000_000, range=[10**18, 2 * 10**20])

    assert repr(Signature.from_json(stored)) == repr(Signature.from_json(written))
