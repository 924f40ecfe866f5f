"""The log: for people or for machines, and never with what a function held in its hands."""

import json
import subprocess
import sys

import pytest

BREAK = """
import sys
import structlog
from foretell.config.logs import logging_config

logging_config(level="INFO", as_json=sys.argv[1] == "json")

def sign_in(password):
    raise RuntimeError("broken")

try:
    sign_in("hunter" + "2")
except RuntimeError:
    structlog.get_logger("foretell.here").exception("it broke", tenant="acme")
"""


def logged(form: str) -> str:
    done = subprocess.run([sys.executable, "-c", BREAK, form], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_where_and_not_with_what(form: str) -> None:
    said = logged(form)

    assert "RuntimeError: broken" in said
    assert "in sign_in" in said
    assert "hunter2" not in said


def test_a_line_for_machines_is_one_object() -> None:
    entry = json.loads(logged("json"))

    assert (entry["event"], entry["level"], entry["logger"], entry["tenant"]) == (
        "it broke",
        "error",
        "foretell.here",
        "acme",
    )
