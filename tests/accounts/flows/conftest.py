"""A browser without a screen, as the pages' own tests have it."""

from tests.web.conftest import signed_in, visitor

__all__ = ["signed_in", "visitor"]
