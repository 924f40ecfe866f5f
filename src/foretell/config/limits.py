"""Limits as the environment has them."""

import re

from foretell.env import MalformedVariable
from foretell.limits.rates import EXPECTED, InvalidRate, Rate

OFF = "off"
SCOPE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
TAKEN = frozenset({"key", "user", "tenant"})


def rate(name: str, found: str) -> Rate | None:
    """Read a rate, or None for `off`."""
    if found.strip().lower() == OFF:
        return None
    try:
        return Rate.parse(found)
    except InvalidRate:
        raise MalformedVariable(name, found, f"off, or a rate {EXPECTED}") from None


def scopes(name: str, items: list[str]) -> dict[str, Rate]:
    """Read named limits: `limited=2/min, burst=10/min`."""
    found: dict[str, Rate] = {}
    for item in items:
        scope, equals, text = (part.strip() for part in item.partition("="))
        if not equals or not SCOPE_NAME.fullmatch(scope) or scope in TAKEN or scope in found:
            raise MalformedVariable(
                name, item, "names, each once, such as limited=2/min, burst=10/min; not key, user or tenant"
            )
        parsed = rate(name, text)
        if parsed is None:
            raise MalformedVariable(name, item, "a rate; a limit that is off is left out")
        found[scope] = parsed
    return found
