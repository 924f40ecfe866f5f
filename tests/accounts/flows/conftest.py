"""A browser without a screen, as the pages' own tests have it; and sign-ups that nobody times."""

import pytest

from foretell.accounts.flows import pacing
from tests.web.conftest import signed_in, visitor

__all__ = ["signed_in", "visitor"]


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "STEP_S", 0)
