"""Texts, as CSV cells and form fields are, to the values that JSON would have had. Nothing is guessed: the input's dtype says how to read.

A text that cannot be read stays a text, and the column's reader then says what was expected there.
"""

import re
from collections.abc import Sequence
from typing import Any

from foretell.inference.codec.column_readers import ABSENT
from foretell.inference.columns import has_numbers
from foretell.inference.signature import DType, Input
from foretell.inference.signature_checks import MAX_SAFE_INTEGER

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_NUMBER_CHARS = frozenset("0123456789+-.eE")
_MAX_NUMBER_CHARS = 1_000
_BLANKS = " \t"
_TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def typed_values(source: Input, texts: Sequence[str]) -> list[Any]:
    """Return the values that the texts spell; an empty one is missing."""
    if source.dtype in (DType.FLOAT, DType.INT) or has_numbers(source):
        return _numbers(source, texts)
    missing = None if source.nullable else ABSENT
    if source.dtype in (DType.STRING, DType.CATEGORY):
        # A word may be known that is empty; then an empty cell means it, unless it means that the word is missing.
        is_word = not source.nullable and "" in source.categories
        return [text if text or is_word else missing for text in texts]
    if source.dtype is DType.BOOL:
        return [_TRUTHS.get(text.strip(_BLANKS).lower(), text) if text.strip(_BLANKS) else missing for text in texts]
    return [text.strip(_BLANKS) or missing for text in texts]


def _numbers(source: Input, texts: Sequence[str]) -> list[Any]:
    # Optimization: float() reads more than we want ("nan", "1_000"), but not from these characters alone.
    if source.dtype is DType.FLOAT and all(texts) and _NUMBER_CHARS.issuperset("".join(texts)):
        try:
            numbers = list(map(float, texts))
            if all(-MAX_SAFE_INTEGER < number < MAX_SAFE_INTEGER for number in numbers):
                return numbers
        except ValueError:
            pass
    missing = None if source.nullable else ABSENT
    return [_number(text.strip(_BLANKS)) if text.strip(_BLANKS) else missing for text in texts]


def _number(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= _MAX_NUMBER_CHARS and _NUMBER.fullmatch(text):
        return float(text)
    return text
