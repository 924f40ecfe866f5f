from typing import Any

import pytest

from foretell.inference.errors import InvalidSignature
from foretell.inference.refining import refine
from foretell.inference.signature import DType, Input
from tests.inference.signatures import PASSENGERS, taking


def test_the_author_adds_units_help_limits_and_examples() -> None:
    refined = refine(
        PASSENGERS,
        {
            "inputs": {"age": {"unit": "years", "help": "In full years.", "limits": [0, 120], "example": 29}},
            "outputs": {"survived": {"help": "Whether the passenger lived."}},
        },
    )

    age = refined.input("age")
    assert (age.unit, age.help, age.limits, age.example) == ("years", "In full years.", (0.0, 120.0), 29)
    assert refined.outputs[0].help == "Whether the passenger lived."
    assert refined.input("sex") == PASSENGERS.input("sex")


def test_categories_make_a_text_a_category() -> None:
    signature = taking(Input(name="port", dtype=DType.STRING, example="S"))

    port = refine(signature, {"inputs": {"port": {"categories": ["C", "Q", "S"], "closed": False}}}).inputs[0]

    assert (port.dtype, port.categories, port.closed, port.example) == (DType.CATEGORY, ("C", "Q", "S"), False, "S")


def test_an_example_from_the_sample_that_no_longer_fits_is_dropped_but_the_authors_own_is_refused() -> None:
    signature = taking(Input(name="age", dtype=DType.FLOAT, example=150.0))

    assert refine(signature, {"inputs": {"age": {"limits": [0, 120]}}}).inputs[0].example is None
    with pytest.raises(InvalidSignature, match="within the limits"):
        refine(signature, {"inputs": {"age": {"limits": [0, 120], "example": 150}}})


@pytest.mark.parametrize(
    ("refinements", "message"),
    [
        ({"inputs": {"aeg": {"unit": "years"}}}, "There is no input 'aeg'; there are pclass, sex, age"),
        ({"inputs": {"age": {"dtype": "int"}}}, "'age' has dtype, but only unit, help"),
        ({"inputs": {"age": {"limits": [1]}}}, "'age': limits is a list of two numbers"),
        ({"inputs": {"age": {"limits": [9, 1]}}}, "'age': limits are"),
        ({"inputs": {"age": 3}}, "object"),
        ({"inputs": []}, "object"),
        ({"outputs": {"prediction": {"help": ""}}}, "no output 'prediction'"),
        ({"labels": {}}, "labels"),
    ],
)
def test_a_refinement_that_does_not_fit_is_refused_by_name(refinements: Any, message: str) -> None:
    with pytest.raises(InvalidSignature) as refusal:
        refine(PASSENGERS, refinements)

    assert message in refusal.value.message
