"""How values and names are shown in messages: short, and safe to send on whatever they hold."""

import json
from collections.abc import Sequence
from typing import Any

_MAX_SHOWN_CHARS = 60
_MAX_NAME_CHARS = 500  # as long as an input's name may be: a form finds its field by it
_MAX_LISTED = 20
_MAX_DIGITS = 40


def shown(value: Any) -> str:
    """Spell what was found as JSON does, cut short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        cut = value if len(value) <= _MAX_SHOWN_CHARS else value[:_MAX_SHOWN_CHARS] + "…"
        return json.dumps(sendable(cut), ensure_ascii=False)
    if isinstance(value, int | float):
        return _shown_number(value)
    if isinstance(value, list | tuple):
        return "a list"
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"


def _shown_number(value: float) -> str:
    # Python refuses to spell integers of thousands of digits.
    if isinstance(value, int) and value.bit_length() > _MAX_DIGITS * 4:
        return "an integer of more than 40 digits"
    return repr(value)


def listed(values: Sequence[Any]) -> str:
    """List what is allowed, at most 20 of it."""
    text = ", ".join(map(shown, values[:_MAX_LISTED]))
    return f"{text} and {len(values) - _MAX_LISTED} more" if len(values) > _MAX_LISTED else text


def place(*parts: Any) -> str:
    """Join a path such as ``instances.3.age``; names in it may be anything that a client sent."""
    return ".".join(sendable(str(part)[:_MAX_NAME_CHARS]) for part in parts if part != "")


def sendable(text: str) -> str:
    """Replace what UTF-8 or PostgreSQL cannot carry."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")
