"""Limits as the environment has them."""

import pytest

from foretell.config.limits import rate, scopes
from foretell.env import MalformedVariable
from foretell.limits import Rate


def test_the_tutorials_two_lines() -> None:
    assert scopes("X", ["limited=2/min", "burst=10/min"]) == {"limited": Rate(2, 60.0, 2), "burst": Rate(10, 60.0, 10)}


@pytest.mark.parametrize("text", ["off", "OFF", " off "])
def test_a_limit_can_be_off(text: str) -> None:
    assert rate("X", text) is None


@pytest.mark.parametrize(
    "item",
    ["limited", "limited=", "=2/min", "limited=much", "limited=off", "Limited=2/min", "key=2/min", "tenant=2/min",
     'a"b=2/min', "a b=2/min", f"{'a' * 41}=2/min"],
)  # fmt: skip
def test_a_malformed_scope_names_the_variable(item: str) -> None:
    with pytest.raises(MalformedVariable, match="FORETELL_LIMIT_SCOPES"):
        scopes("FORETELL_LIMIT_SCOPES", [item])


def test_a_scope_has_one_rate() -> None:
    with pytest.raises(MalformedVariable):
        scopes("FORETELL_LIMIT_SCOPES", ["limited=2/min", "limited=3/min"])


def test_a_malformed_rate_names_the_variable_and_what_is_expected() -> None:
    with pytest.raises(
        MalformedVariable, match=r'FORETELL_LIMIT_KEY is .much.; expected off, or a rate such as "10/min"'
    ):
        rate("FORETELL_LIMIT_KEY", "much")
