"""The form that a signature makes: right controls, right marks, safe names. No database."""

import pytest
from django.template.loader import render_to_string

from foretell.inference.errors import InputProblem
from foretell.inference.signature import DType, Input, Label, Output, Signature, Task
from foretell.web.forms import PredictionForm, example_of, form_for


def signature_of(*inputs: Input) -> Signature:
    return Signature(inputs=inputs, outputs=(Output(name="y", task=Task.REGRESSION),))


def rendered(source: Input, data: dict[str, str] | None = None, *problems: InputProblem) -> str:
    form = form_for(signature_of(source))(data)
    form.report(problems)
    return " ".join(render_to_string("web/_field.html", {"field": next(iter(form))}).split())


def category(*categories: Label, closed: bool = True, nullable: bool = False) -> Input:
    return Input(name="port", dtype=DType.CATEGORY, categories=categories, closed=closed, nullable=nullable)


def test_a_float_takes_any_decimals_and_an_int_whole_steps() -> None:
    assert 'type="number"' in rendered(Input(name="fare", dtype=DType.FLOAT))
    assert 'step="any"' in rendered(Input(name="fare", dtype=DType.FLOAT))
    assert 'step="1"' in rendered(Input(name="parch", dtype=DType.INT))


def test_the_authors_limits_bound_a_number_and_the_training_range_only_helps() -> None:
    html = rendered(Input(name="age", dtype=DType.FLOAT, limits=(0.0, 120.0), range=(0.42, 80.0)))

    assert 'min="0"' in html
    assert 'max="120"' in html
    assert "From 0 to 120. Seen in training: 0.42 to 80." in html


def test_without_limits_the_training_range_bounds_nothing() -> None:
    html = rendered(Input(name="age", dtype=DType.FLOAT, range=(0.42, 80.0)))

    assert "min=" not in html
    assert "max=" not in html


def test_the_steps_of_an_int_start_at_a_whole_number() -> None:
    html = rendered(Input(name="rooms", dtype=DType.INT, limits=(0.5, 9.5)))

    assert 'min="1"' in html
    assert 'max="9"' in html


def test_up_to_seven_categories_are_radios_and_more_are_a_select() -> None:
    assert rendered(category(*"ABCDEFG")).count('type="radio"') == 7
    assert "<select" in rendered(category(*"ABCDEFGH"))


def test_a_nullable_category_can_be_left_unknown() -> None:
    assert 'value=""' in rendered(category("C", "Q", nullable=True))
    assert 'value=""' not in rendered(category("C", "Q"))


def test_an_open_category_is_typed_with_the_known_ones_suggested() -> None:
    html = rendered(category("Bern", "Genf", closed=False))

    assert 'list="input-0_options"' in html
    assert '<datalist id="input-0_options"><option value="Bern"><option value="Genf"></datalist>' in html


def test_no_answer_is_preselected_for_a_bool() -> None:
    html = rendered(Input(name="alone", dtype=DType.BOOL))

    assert html.index("Choose") < html.index('value="true"') < html.index('value="false"')


def test_a_datetime_has_a_control_of_its_own() -> None:
    assert 'type="datetime-local"' in rendered(Input(name="sold at", dtype=DType.DATETIME))


def test_what_is_owed_is_marked_for_eyes_and_for_screen_readers() -> None:
    owed, nullable = Input(name="age", dtype=DType.FLOAT), Input(name="age", dtype=DType.FLOAT, nullable=True)

    assert 'aria-required="true"' in rendered(owed)
    assert 'class="required"' in rendered(owed)
    assert "required" not in rendered(nullable)
    assert 'aria-required="true"' in rendered(category("C", "Q"))


def test_unit_help_and_example_stand_with_the_field() -> None:
    html = rendered(Input(name="fare", dtype=DType.FLOAT, unit="£", help="Paid per ticket.", example=7.25))

    assert '<span class="unit">£</span>' in html
    assert 'aria-describedby="input-0_helptext"' in html
    assert '<p class="help" id="input-0_helptext">Paid per ticket.</p>' in html
    assert 'placeholder="e.g. 7.25"' in html


def test_a_unit_that_the_name_has_already_is_not_said_twice() -> None:
    assert 'class="unit"' not in rendered(Input(name="petal length (cm)", dtype=DType.FLOAT, unit="cm"))


def test_an_error_stands_beside_its_field_and_is_read_with_it() -> None:
    html = rendered(
        Input(name="fare", dtype=DType.FLOAT),
        {"input:fare": "7,25"},
        InputProblem("fare", "not_a_number", "Not a number."),
    )

    assert 'aria-describedby="input-0_error"' in html
    assert 'aria-invalid="true"' in html
    assert '<div id="input-0_error"><p class="error">Not a number.</p></div>' in html


def test_what_was_typed_is_kept_also_where_it_is_no_number() -> None:
    html = rendered(
        Input(name="fare", dtype=DType.FLOAT),
        {"input:fare": "7,25 "},
        InputProblem("fare", "not_a_number", "Not a number."),
    )

    assert 'value="7,25 "' in html
    assert 'type="text"' in html


@pytest.mark.parametrize(
    "name",
    [
        "sepal length (cm)",
        "größe",
        "a.b",
        "a:b",
        "csrfmiddlewaretoken",
        "__all__",
        "input-0",
        '"><script>alert(1)</script>',
        "年齢",
        "first line\nsecond",
        "",
        " ",
    ],
)
def test_a_form_survives_any_name_of_an_input(name: str) -> None:
    source = Input(name=name, dtype=DType.FLOAT)
    form = form_for(signature_of(source))({"input:" + name.replace("\n", "\r\n"): "1.5", "csrfmiddlewaretoken": "x"})
    form.report([InputProblem(name, "too_small", "Too small.")] if name else [])

    html = render_to_string("web/_field.html", {"field": next(iter(form))})

    assert form.values == {name: "1.5"}
    assert 'id="input-0"' in html
    assert "<script>" not in html


def test_a_name_that_the_signature_does_not_have_is_kept_for_the_codec() -> None:
    form = form_for(signature_of(Input(name="age", dtype=DType.FLOAT)))({"input:agee": "3"})

    assert form.values == {"agee": "3"}


def test_a_problem_of_no_field_stands_above_the_form() -> None:
    form: PredictionForm = form_for(signature_of(Input(name="age", dtype=DType.FLOAT)))({})

    form.report(
        [InputProblem("agee", "unknown_field", "No such input."), InputProblem("", "empty", "Nothing was sent.")]
    )

    assert list(form.non_field_errors()) == ["agee: No such input.", "Nothing was sent."]


def test_the_example_fills_every_field_that_has_one() -> None:
    signature = signature_of(
        Input(name="fare", dtype=DType.FLOAT, example=211.3375),
        Input(name="parch", dtype=DType.INT, example=0),
        Input(name="alone", dtype=DType.BOOL, example=False),
        Input(name="age", dtype=DType.FLOAT, nullable=True),
        Input(name="sold at", dtype=DType.DATETIME, example="2026-11-21T04:30:00Z"),
    )

    assert example_of(signature) == {
        "input-0": "211.3375",
        "input-1": "0",
        "input-2": "false",
        "input-4": "2026-11-21T04:30:00",
    }
