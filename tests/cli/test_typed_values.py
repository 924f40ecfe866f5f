"""Texts of a command line as the values that a signature asks for."""

from typing import Any

import pytest

from foretell.cli.typed_values import guessed, typed


@pytest.mark.parametrize(
    ("text", "described", "value"),
    [
        ("1.5", {"dtype": "float"}, 1.5),
        ("2", {"dtype": "float"}, 2),
        ("1e3", {"dtype": "float"}, 1000.0),
        ("2", {"dtype": "int"}, 2),
        ("2.5", {"dtype": "int"}, 2.5),
        ("nan", {"dtype": "float"}, "nan"),
        ("inf", {"dtype": "float"}, "inf"),
        ("1_000", {"dtype": "int"}, "1_000"),
        ("yes", {"dtype": "bool"}, True),
        ("FALSE", {"dtype": "bool"}, False),
        ("maybe", {"dtype": "bool"}, "maybe"),
        ("007", {"dtype": "string"}, "007"),
        ("1", {"dtype": "category", "categories": [1, 2]}, 1),
        ("1", {"dtype": "category", "categories": ["1", "2"]}, "1"),
        ("true", {"dtype": "category", "categories": [False, True]}, True),
        ("9", {"dtype": "category", "categories": [1, 2]}, 9),
        ("2026-01-02", {"dtype": "datetime"}, "2026-01-02"),
        ("", {"dtype": "string"}, None),
    ],
)
def test_a_text_becomes_what_the_input_takes(text: str, described: dict[str, Any], value: Any) -> None:
    found = typed(text, described)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("1.0", 1.0), ("true", True), ("red", "red"), ("", None), ("True", "True")]
)
def test_without_a_signature_looks_decide(text: str, value: Any) -> None:
    assert guessed(text) == value
