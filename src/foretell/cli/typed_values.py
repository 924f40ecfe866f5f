"""Texts of a command line as the values that a signature asks for. What does not fit goes as it is: the server says why."""

import json
from collections.abc import Mapping
from typing import Any


def typed_row(texts: Mapping[str, str], signature: Mapping[str, Any] | None) -> dict[str, Any]:
    """Type each text by the input of its name; without a signature, by its looks."""
    if signature is None:
        return {name: guessed(text) for name, text in texts.items()}
    inputs = {item["name"]: item for item in signature["inputs"]}
    return {name: typed(text, inputs[name]) if name in inputs else text for name, text in texts.items()}


def typed(text: str, described: Mapping[str, Any]) -> Any:
    """Return `text` as the input that `described` is of a signature; an empty text is a missing value."""
    if text == "":
        return None
    kind = described["dtype"]
    if kind == "category":
        return next(
            (label for label in described.get("categories", ()) if _spelt(label) == text), _of_category(text, described)
        )
    if kind in ("float", "int"):
        return _number(text)
    if kind == "bool":
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)
    return text


def guessed(text: str) -> Any:
    """Return a number or a boolean where the text looks like one."""
    if text == "":
        return None
    return {"true": True, "false": False}.get(text, _number(text))


def _of_category(text: str, described: Mapping[str, Any]) -> Any:
    """Return an unknown category as the kind of value that the known ones are."""
    known = described.get("categories") or ("",)
    return text if isinstance(known[0], str) else _number(text)


def _spelt(label: Any) -> str:
    return label if isinstance(label, str) else json.dumps(label)


def _number(text: str) -> Any:
    """Return the number, an int where it is spelt as one, or the text itself."""
    for kind in (int, float):
        try:
            value: Any = kind(text)
        except ValueError:
            continue
        return value if abs(value) != float("inf") and value == value and "_" not in text else text
    return text
