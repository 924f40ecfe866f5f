import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.inference.codec.form_rows import parse_form
from foretell.inference.errors import InvalidInput
from foretell.inference.signature import DType, Input
from tests.inference.signatures import PASSENGER, PASSENGERS, refusal_of, taking

FORM = {"pclass": "1", "sex": "female", "age": " 29.5 ", "embarked": "", "boarded": "1912-04-10T12:00", "alone": "true"}


def test_the_texts_of_a_form_become_one_typed_row() -> None:
    rows = parse_form(PASSENGERS, FORM)

    assert rows.is_single
    assert rows.batch.columns["pclass"].tolist() == [1]
    assert rows.batch.columns["age"].tolist() == [29.5]
    assert rows.batch.columns["embarked"].tolist() == [None]
    assert rows.batch.columns["boarded"][0] == np.datetime64("1912-04-10T12:00")


def test_faults_are_keyed_by_the_names_of_the_inputs() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_form(PASSENGERS, {**FORM, "pclass": "", "sex": "x", "age": "12,5", "alone": "", "height": "1"})

    assert [(problem.attr, problem.code) for problem in refusal.value.problems] == [
        ("pclass", "required"),
        ("sex", "not_a_choice"),
        ("age", "not_a_number"),
        ("alone", "required"),
        ("height", "unknown_field"),
    ]


@pytest.mark.parametrize(
    ("text", "value"), [("on", True), ("true", True), ("1", True), ("no", False), ("false", False)]
)
def test_a_truth_may_be_spelt_as_browsers_and_people_do(text: str, value: bool) -> None:
    assert parse_form(PASSENGERS, {**FORM, "alone": text}).batch.columns["alone"].tolist() == [value]


def test_a_checkbox_without_its_mark_is_not_sent_and_means_false_unless_it_may_be_missing() -> None:
    owed = taking(Input(name="alone", dtype=DType.BOOL))
    nullable = taking(Input(name="alone", dtype=DType.BOOL, nullable=True))

    assert parse_form(owed, {}).batch.columns["alone"].tolist() == [False]
    assert parse_form(nullable, {}).batch.columns["alone"].tolist() == [None]


def test_a_known_empty_word_is_chosen_by_an_empty_field() -> None:
    signature = taking(Input(name="port", dtype=DType.CATEGORY, categories=("", "S")))

    assert parse_form(signature, {"port": ""}).batch.columns["port"].tolist() == [""]


@given(st.dictionaries(st.sampled_from([*PASSENGER, "other"]), st.text(st.characters(), max_size=8)))
def test_any_fields_are_a_row_or_refused(fields: dict[str, str]) -> None:
    refusal = refusal_of(parse_form, PASSENGERS, fields)

    assert refusal is None or {problem.attr for problem in refusal.problems} <= {*PASSENGER, "other"}
