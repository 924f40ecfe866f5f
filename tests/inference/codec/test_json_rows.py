import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.inference.codec import ParsedRows
from foretell.inference.codec.json_rows import parse_json
from foretell.inference.codec.objects import parse_objects
from foretell.inference.codec.parsed import MAX_CELLS
from foretell.inference.columns import batch_to_json
from foretell.inference.errors import InvalidInput
from foretell.inference.signature import DType, Input, Signature
from tests.inference.signatures import PASSENGER, PASSENGERS, refusal_of, signature_and_rows, taking

AGE = taking(Input(name="age", dtype=DType.FLOAT, nullable=True))


def parsed(value: Any, signature: Signature = PASSENGERS) -> ParsedRows:
    return parse_json(signature, json.dumps(value).encode())


def problems(value: Any, signature: Signature = PASSENGERS) -> list[tuple[str, str]]:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(InvalidInput) as refusal:
        parse_json(signature, body)
    return [(problem.attr, problem.code) for problem in refusal.value.problems]


def test_a_bare_row_becomes_one_typed_row() -> None:
    rows = parsed(PASSENGER)

    columns = rows.batch.columns
    assert rows.is_single
    assert rows.batch.n_rows == 1
    assert list(columns) == [source.name for source in PASSENGERS.inputs]
    assert columns["pclass"].dtype == np.int64
    assert columns["age"].dtype == np.float64
    assert columns["sex"].tolist() == ["female"]
    assert columns["alone"].dtype == np.bool_
    assert columns["boarded"][0] == np.datetime64("1912-04-10T12:00:00", "us")


def test_keys_in_any_order_give_the_same() -> None:
    assert batch_to_json(parsed(dict(reversed(PASSENGER.items()))).batch) == batch_to_json(parsed(PASSENGER).batch)


def test_rows_are_objects_or_lists_in_the_order_of_the_signature() -> None:
    rows = parsed({"instances": [PASSENGER, list(PASSENGER.values())]})

    assert not rows.is_single
    assert rows.batch.n_rows == 2
    for column in batch_to_json(rows.batch).values():
        assert column[0] == column[1]


def test_a_missing_value_is_null_or_an_absent_key_where_the_signature_allows_it() -> None:
    with_null = parsed({**PASSENGER, "age": None, "boarded": None, "embarked": None})
    without = parsed({key: value for key, value in PASSENGER.items() if key not in ("age", "boarded", "embarked")})

    for rows in (with_null, without):
        assert np.isnan(rows.batch.columns["age"][0])
        assert np.isnat(rows.batch.columns["boarded"][0])
        assert rows.batch.columns["embarked"].tolist() == [None]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"pclass": "1"}, "not_a_number"),
        ({"pclass": True}, "not_a_number"),
        ({"pclass": 1.5}, "not_an_integer"),
        ({"pclass": 1e300}, "too_large"),
        ({"pclass": None}, "null"),
        ({"pclass": 0}, "min_value"),
        ({"pclass": [1]}, "not_a_number"),
        ({"age": {"years": 29}}, "not_a_number"),
        ({"age": 130.5}, "max_value"),
        ({"age": 2**53 + 1}, "too_large"),
        ({"age": 10**300}, "too_large"),
        ({"sex": "Female"}, "not_a_choice"),
        ({"sex": 1}, "not_a_choice"),
        ({"embarked": 1}, "not_a_choice"),
        ({"deck": 4}, "not_a_choice"),
        ({"deck": "1"}, "not_a_number"),
        ({"deck": True}, "not_a_number"),
        ({"cabin": 5}, "not_a_string"),
        ({"cabin": "B\x005"}, "invalid_text"),
        ({"cabin": "B\ud800"}, "invalid_text"),
        ({"cabin": "B" * 100_001}, "max_length"),
        ({"boarded": "tomorrow"}, "not_a_datetime"),
        ({"boarded": "2024-02-30"}, "not_a_datetime"),
        ({"boarded": 1_700_000_000}, "not_a_datetime"),
        ({"boarded": "0001-01-01T00:00:00+14:00"}, "not_a_datetime"),
        ({"alone": 1}, "not_a_boolean"),
        ({"alone": "true"}, "not_a_boolean"),
        ({"height": 180}, "unknown_field"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_at_its_place(changed: dict[str, Any], code: str) -> None:
    (name,) = changed

    assert problems({**PASSENGER, **changed}) == [(name, code)]
    assert problems({"instances": [PASSENGER, {**PASSENGER, **changed}]}) == [(f"instances.1.{name}", code)]


def test_a_message_says_what_was_found_and_what_is_allowed() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parsed({**PASSENGER, "sex": "femail"})

    assert refusal.value.problems[0].detail == 'Found "femail"; expected one of "female", "male".'
    assert refusal.value.message == 'sex: Found "femail"; expected one of "female", "male".'


def test_a_missing_key_is_refused_where_a_value_is_owed() -> None:
    assert problems({"instances": [{"sex": "male"}]}) == [
        ("instances.0.pclass", "required"),
        ("instances.0.alone", "required"),
    ]


def test_all_faults_are_told_at_once_row_by_row_and_at_most_a_hundred() -> None:
    row = {**PASSENGER, "pclass": "1", "age": "old", "height": 1}

    found = problems({"instances": [row] * 1_000})

    assert found[:4] == [
        ("instances.0.pclass", "not_a_number"),
        ("instances.0.age", "not_a_number"),
        ("instances.0.height", "unknown_field"),
        ("instances.1.pclass", "not_a_number"),
    ]
    assert len(found) == 100


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 5_000])
def test_a_number_beyond_float64_is_refused_at_its_place(number: bytes) -> None:
    ((attr, code),) = problems(b'{"instances": [{"age": 1}, {"age": %s}]}' % number, AGE)

    assert attr == "instances.1.age"
    assert code in ("not_finite", "too_large")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_is_no_json_number_is_refused(number: bytes) -> None:
    assert problems(b'{"age": %s}' % number, AGE) == [("", "invalid_json")]


def test_a_whole_float_is_an_integer_because_json_has_one_kind_of_number() -> None:
    assert parsed({**PASSENGER, "pclass": 3.0}).batch.columns["pclass"].tolist() == [3]


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        (b'{"age": 1, "age": 2}', "age"),
        (b'{"age": 1, "a\\u0067e": 1}', "age"),
        (b'{"instances": [{"age": 1}, {"age": 1, "age": 1}]}', "instances.1.age"),
        (b'{"instances": [{"age": 1}], "instances": [{"age": 1}]}', "instances"),
        (b'{"instances": [[{"x": ":", "x": 1}]]}', "instances.0.0.x"),
    ],
)
def test_a_key_that_comes_twice_is_refused_at_its_place(body: bytes, attr: str) -> None:
    assert problems(body, AGE) == [(attr, "duplicate_field")]


def test_colons_in_texts_are_no_second_keys() -> None:
    signature = taking(Input(name="a:b", dtype=DType.STRING), Input(name='"c": {[', dtype=DType.STRING))

    rows = parsed({"a:b": '":":', '"c": {[': "\\:"}, signature)

    assert rows.batch.columns["a:b"].tolist() == ['":":']


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 40 + b"]" * 40, b'{"instances": ' + b"[" * 40]
)
def test_deep_nesting_is_refused_before_it_is_parsed(body: bytes) -> None:
    assert problems(body) == [("", "too_deep")]


def test_brackets_in_texts_nest_nothing() -> None:
    text = "[{" * 50 + '\\"' + "[{" * 50

    assert parsed({**PASSENGER, "cabin": text}).batch.columns["cabin"].tolist() == [text]


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        (b"", "", "empty"),
        (b" \n", "", "empty"),
        (b"{", "", "invalid_json"),
        (b"{} {}", "", "invalid_json"),
        (b"\xef\xbb\xbf{}", "", "invalid_json"),
        (b'{"age": "\xff"}', "", "invalid_json"),
        ('{"age": 1}'.encode("utf-16"), "", "invalid_json"),
        (b"[]", "", "not_an_object"),
        (b"3", "", "not_an_object"),
        (b'{"instances": []}', "instances", "empty"),
        (b'{"instances": {}}', "instances", "not_a_list"),
        (b'{"instances": null}', "instances", "not_a_list"),
        (b'{"instances": [3]}', "instances.0", "not_an_object"),
        (b'{"instances": [[1, 2]]}', "instances.0", "wrong_length"),
        (b'{"instances": [[]]}', "instances.0", "wrong_length"),
        (b'{"instances": [{}], "parameters": {}}', "parameters", "unknown_field"),
        (b'{"\\ud800": 1}', "\\ud800", "unknown_field"),
        (b'{"\\u0000": 1}', "\\x00", "unknown_field"),
    ],
)  # fmt: skip
def test_a_body_that_holds_no_rows_is_refused(body: bytes, attr: str, code: str) -> None:
    assert problems(body, AGE) == [(attr, code)]


def test_more_rows_than_the_limit_are_refused() -> None:
    body = json.dumps({"instances": [{"age": 1}] * 3}).encode()

    assert parse_json(AGE, body, max_rows=3).batch.n_rows == 3
    with pytest.raises(InvalidInput, match="at most 2"):
        parse_json(AGE, body, max_rows=2)


def test_a_body_of_very_many_small_objects_is_refused_before_it_is_parsed() -> None:
    body = b'{"instances": [' + b",".join([b'{"a":{}}'] * 60_000) + b"]}"

    with pytest.raises(InvalidInput, match="120,002 lists and objects; at most 101,000"):
        parse_json(AGE, body)


def test_an_input_may_be_called_instances() -> None:
    signature = taking(Input(name="instances", dtype=DType.FLOAT), Input(name="b", dtype=DType.FLOAT, nullable=True))

    assert parsed({"instances": 3, "b": 1}, signature).is_single
    assert parsed({"instances": [{"instances": 3}, [4, None]]}, signature).batch.columns["instances"].tolist() == [3, 4]


def test_outside_of_what_training_has_seen_is_a_warning() -> None:
    rows = parsed({"instances": [PASSENGER, {**PASSENGER, "pclass": 4, "embarked": "X", "deck": None}]})

    assert [(warning.attr, warning.code) for warning in rows.warnings] == [
        ("instances.1.pclass", "out_of_range"),
        ("instances.1.embarked", "unseen_category"),
    ]
    assert rows.warnings[0].detail == "Found 4; the training data had values from 1 to 3."
    assert rows.batch.columns["embarked"].tolist() == ["S", "X"]


def test_a_fraction_never_becomes_another_whole_category() -> None:
    signature = taking(Input(name="deck", dtype=DType.CATEGORY, categories=(1, 2), closed=False))

    assert problems({"deck": 1.5}, signature) == [("deck", "not_an_integer")]
    assert parsed({"deck": 7}, signature).batch.columns["deck"].tolist() == [7]


@given(signature_and_rows())
def test_any_rows_that_fit_come_back_as_they_went_in(found: tuple[Signature, list[dict[str, Any]]]) -> None:
    signature, rows = found

    columns = batch_to_json(parse_json(signature, json.dumps({"instances": rows}).encode()).batch)
    from_lists = batch_to_json(
        parsed({"instances": [[row[source.name] for source in signature.inputs] for row in rows]}, signature).batch
    )
    from_objects = batch_to_json(parse_objects(signature, rows).batch)

    assert columns == from_lists == from_objects
    for source in signature.inputs:
        sent = [row[source.name] for row in rows]
        if source.dtype is DType.DATETIME:
            assert [None if text is None else np.datetime64(text.removesuffix("Z"), "us") for text in sent] == [
                None if text is None else np.datetime64(text) for text in columns[source.name]
            ]
        else:
            assert columns[source.name] == sent


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
ANY_ROW = st.fixed_dictionaries({}, optional={name: ANY_VALUE | st.just(PASSENGER[name]) for name in PASSENGER})


@given(
    st.binary()
    | st.text().map(str.encode)
    | (ANY_VALUE | ANY_ROW | st.fixed_dictionaries({"instances": st.lists(ANY_ROW | ANY_VALUE)})).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_any_bytes_are_rows_or_refused_in_words_that_can_be_sent(body: bytes) -> None:
    refusal = refusal_of(parse_json, PASSENGERS, body)

    if refusal is not None:
        assert 1 <= len(refusal.problems) <= 100
        for problem in refusal.problems:
            assert problem.code
            assert problem.detail
            (problem.attr + problem.detail).encode()
            assert "\x00" not in problem.attr + problem.detail


def test_python_rows_may_hold_the_scalars_of_numpy() -> None:
    rows = parse_objects(AGE, [{"age": np.float32(1.5)}, {"age": np.int64(2)}])

    assert rows.batch.columns["age"].tolist() == [1.5, 2.0]


@pytest.mark.parametrize("value", [float("nan"), np.float64("inf")])
def test_python_rows_hold_no_nan(value: float) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_objects(AGE, [{"age": 1.0}, {"age": value}, {"age": 2.0}], path="rows")

    assert [(problem.attr, problem.code) for problem in refusal.value.problems] == [("rows.1.age", "not_finite")]


@pytest.mark.parametrize("opening", ["{}", "[" + "null," * 1_999 + "null]"])
def test_rows_of_many_inputs_are_fewer_since_what_is_missing_takes_memory_too(opening: str) -> None:
    wide = taking(*(Input(name=f"x{number}", dtype=DType.FLOAT, nullable=True) for number in range(2_000)))
    many = MAX_CELLS // 2_000 + 1

    with pytest.raises(InvalidInput) as refusal:
        parse_json(wide, ('{"instances": [' + ",".join([opening] * many) + "]}").encode())

    assert [(problem.attr, problem.code) for problem in refusal.value.problems] == [("instances", "too_many_rows")]
    assert "at most 2,500" in refusal.value.problems[0].detail
