"""The programs of benchmarks/ find each other as scripts do: by their names, beside them."""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    known = set(sys.modules)
    yield import_module
    for name in set(sys.modules) - known:  # no other test meets a module of such a plain name
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(BENCHMARKS)):
            del sys.modules[name]
