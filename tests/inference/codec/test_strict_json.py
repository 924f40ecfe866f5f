import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.inference.codec.strict_json import loads
from foretell.inference.errors import InvalidInput
from tests.inference.signatures import refusal_of

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner)
    ),
)


@given(JSON, st.booleans())
def test_any_json_comes_back_as_it_went_in(value: Any, is_ascii: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=is_ascii).encode()) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_refused(body: bytes) -> None:
    refusal = refusal_of(loads, body)

    assert refusal is None or refusal.problems


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        (b'{"a": {"b": 1, "b": 2}}', "a.b", "duplicate_field"),
        (b'{"a": [1, {"b": "\\u0000"}]}', "a.1.b", "invalid_text"),
        (b'{"a": {"\\u0000": 1}}', "a", "invalid_text"),
        (b'{"a": "\\ud800"}', "a", "invalid_text"),
        (b'{"a": [1, 1e999]}', "a.1", "not_finite"),
        (b'{"a": NaN}', "", "invalid_json"),
        (b"[" * 33 + b"]" * 33, "", "too_deep"),
        (b'"\xed\xa0\x80"', "", "invalid_json"),
    ],
)
def test_what_two_readers_would_read_differently_is_refused_at_its_place(body: bytes, attr: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        loads(body)

    assert [(problem.attr, problem.code) for problem in refusal.value.problems] == [(attr, code)]


def test_thirty_two_levels_are_read() -> None:
    assert json.dumps(loads(b"[" * 32 + b"]" * 32)) == "[" * 32 + "]" * 32
