"""The documents know every call, every error and every argument."""

import inspect
from pathlib import Path

import pytest

import foretell
from foretell import client
from foretell.client import Client

DOCS = Path(__file__).parents[2] / "docs"
BASES = {"ClientError", "RequestRefused"}
ERRORS = sorted(
    {name for name, item in vars(client).items() if isinstance(item, type) and issubclass(item, Exception)} - BASES
)


@pytest.mark.parametrize("name", [name for name in vars(Client) if not name.startswith("_") and name != "close"])
def test_every_call_is_documented(name: str) -> None:
    assert f"`{name}(" in (DOCS / "client.md").read_text()


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "client.md").read_text()


def test_every_argument_of_push_is_documented() -> None:
    text = (DOCS / "push.md").read_text()
    missing = [name for name in inspect.signature(foretell.push).parameters if f"`{name}`" not in text]

    assert missing == ["model", "name", "sample"]  # the chapters of the page
