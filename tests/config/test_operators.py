"""Where the operators' admin is: a host name in one form, or none."""

import pytest

from foretell.config.operators import operators_host
from foretell.env import MalformedVariable

NAME = "FORETELL_OPERATORS_HOST"


@pytest.mark.parametrize(
    ("found", "host"), [("", ""), ("Operators.Example.com.", "operators.example.com"), ("localhost", "localhost")]
)
def test_a_host_is_read_in_one_form(found: str, host: str) -> None:
    assert operators_host(NAME, found) == host


@pytest.mark.parametrize(
    "found", ["operators.example.com:8000", "https://operators.example.com", "a b", "x,y", "/admin"]
)
def test_what_is_no_host_name_stops_the_start(found: str) -> None:
    with pytest.raises(MalformedVariable, match="without a port"):
        operators_host(NAME, found)
