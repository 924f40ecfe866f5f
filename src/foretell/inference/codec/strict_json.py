"""JSON bytes to Python values, without what makes two readers disagree: no duplicate keys, no NaN, no deep nesting.

Security: the bytes are anybody's. Depth is measured before anything recurses over them.
"""

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec
import numpy as np

from foretell.inference.batch import Array
from foretell.inference.codec.parsed import MAX_PROBLEMS
from foretell.inference.codec.wording import place, shown
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.signature_checks import is_clean_text

MAX_DEPTH = 32
MAX_CONTAINERS = 100_000  # lists and objects: each costs far more memory and time than its few bytes
_MAX_DIGITS = 400  # of an integer: more than any float64 has, and far fewer than would be slow to read
_FEW = 64  # such as the tensors of a request, which have objects of their own
_QUOTE = ord('"')
_COLON = ord(":")
_SHORT = 2_000
_STEPS = np.array([(byte in b"[{") - (byte in b"]}") for byte in range(256)], dtype=np.int8)
_NO_OUTLINE = bytes(byte for byte in range(256) if byte not in b'[]{}:"')
_DECODER = msgspec.json.Decoder()


def loads(body: bytes) -> Any:
    """Return the value of a JSON text; texts in it can be stored and sent on, numbers are finite.

    Raises
    ------
    InvalidInput
        names the place, what was found and what is allowed.
    """
    value = decode(body)
    faults = [problem for path, inner in _places(value) if (problem := _fault(path, inner))]
    if faults:
        raise InvalidInput(*faults[:MAX_PROBLEMS])
    return value


def decode(body: bytes, *, max_containers: int = MAX_CONTAINERS) -> Any:
    """Return the value of a JSON text with distinct keys; a number too large for float64 becomes an infinite one.

    Its texts are not looked at, and infinite numbers are left to whoever knows what they were meant for.

    Raises
    ------
    InvalidInput
        when it is no JSON, nested too deep, of too many lists and objects, or has a key twice.
    """
    if not body.strip():
        raise _invalid("The body is empty; expected JSON.", code="empty")
    if body.startswith(b"\xef\xbb\xbf"):
        raise _invalid("The body begins with a byte order mark, which JSON has not; send UTF-8 without one.")
    _require_simple(body, max_containers)
    value = _decoded(body)
    if not _has_distinct_keys(body, value):
        _refuse_repeated_keys(body)
    return value


def _decoded(body: bytes) -> Any:
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError:
        return _slowly(body)  # a number out of range: read it as infinite, so that its place can be named
    except UnicodeDecodeError as error:
        raise _invalid(f"The body is not UTF-8: byte {error.start} of a text does not fit.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        if re.search(rb"\\u[dD]", body):
            return _slowly(body)  # perhaps half a character pair, whose place can be named
        raise _malformed(body, str(error)) from None


def _slowly(body: bytes) -> Any:
    return _read_closely(body)[0]


def _read_closely(body: bytes) -> tuple[Any, bool]:
    """Return the value, in which objects with repeated keys are `_Repeating`, and whether there are any."""
    repeating: list[_Repeating] = []

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        repeating.append(_Repeating(pairs))
        return repeating[-1]

    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=made, parse_int=_integer, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _malformed(body, str(error)) from None
    return value, bool(repeating)


class _Repeating(dict[str, Any]):
    """An object that remembers which of its keys came more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def _integer(digits: str) -> float:
    if len(digits) <= _MAX_DIGITS:
        return int(digits)
    return -math.inf if digits.startswith("-") else math.inf


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _malformed(body: bytes, reason: str) -> InvalidInput:
    reason = reason.removeprefix("JSON is malformed: ")
    hint = " NaN and Infinity are not JSON; a missing value is null." if re.search(rb"\b(NaN|Infinity)\b", body) else ""
    return _invalid(f"The body is not valid JSON: {reason}.{hint}")


def _invalid(detail: str, *, code: str = "invalid_json", attr: str = "") -> InvalidInput:
    return InvalidInput(InputProblem(attr, code, detail))


def _require_simple(body: bytes, max_containers: int) -> None:
    # Optimization: a row or two have too few brackets to be deep or many; only long bodies are looked at closely.
    if sum(body.count(bracket) for bracket in (b"[", b"{")) <= min(MAX_DEPTH, max_containers):
        return
    steps = _STEPS[_outline(body)]
    depth = int(np.cumsum(steps, dtype=np.int32).max(initial=0))
    if depth > MAX_DEPTH:
        raise _invalid(f"The body is nested {depth:,} levels deep; at most {MAX_DEPTH} are read.", code="too_deep")
    containers = int(np.count_nonzero(steps > 0))
    if containers > max_containers:
        detail = f"The body has {containers:,} lists and objects; at most {max_containers:,} are read."
        raise _invalid(detail, code="too_many_rows")


def _outline(body: bytes) -> Array:
    """Return the brackets and colons of a body, without those that stand in texts."""
    if b"\\" in body:
        body = re.sub(rb"\\.", b"", body, flags=re.DOTALL)
    chars = np.frombuffer(body.translate(None, _NO_OUTLINE), dtype=np.uint8)
    is_inside = np.logical_xor.accumulate(chars == _QUOTE)
    return chars[~is_inside]


def _has_distinct_keys(body: bytes, value: Any) -> bool:
    """Whether it is certain that no key came twice: as many keys were kept as there are colons.

    Optimization: keys are counted in objects, in rows that are flat, and in whatever a short list holds; anything else is read
    again by the slow reader, which knows.
    """
    return has_keys(body, _count_keys(value))


def has_keys(body: bytes, n_keys: int) -> bool:
    """Whether a JSON text that has at least `n_keys` keys has no more of them."""
    return count_of(_COLON, body) == n_keys or n_keys == int(np.count_nonzero(_outline(body) == _COLON))


def count_of(char: int, body: bytes) -> int:
    # Optimization: numpy counts seven times as fast, once it has begun.
    return body.count(char) if len(body) < _SHORT else int(np.count_nonzero(np.frombuffer(body, np.uint8) == char))


def _count_keys(value: Any) -> int:
    if type(value) is not dict:
        return 0
    inner = value.values()
    return (
        len(value)
        + sum(_count_keys(part) for part in inner if type(part) is dict)
        + sum(_count_row_keys(rows) for rows in inner if type(rows) is list)
    )


def _count_row_keys(rows: list[Any]) -> int:
    if len(rows) <= _FEW:
        return sum(map(_count_keys, rows))
    return sum(len(row) for row in rows if type(row) is dict)


def _refuse_repeated_keys(body: bytes) -> None:
    value, has_repeated = _read_closely(body)
    if not has_repeated:
        return
    problems = (
        InputProblem(
            place(*path, key), "duplicate_field", f"The key {shown(key)} came more than once; expected it once."
        )
        for path, inner in _places(value)
        if isinstance(inner, _Repeating)
        for key in inner.repeated
    )
    raise InvalidInput(*itertools.islice(problems, MAX_PROBLEMS))


def _places(value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Walk over a value and everything in it, in the order of the text, with the path to each."""
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        if isinstance(value, dict):
            waiting += [((*path, key), inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [((*path, position), value[position]) for position in range(len(value) - 1, -1, -1)]


def _fault(path: tuple[Any, ...], value: Any) -> InputProblem | None:
    texts = value if isinstance(value, dict) else [value] if isinstance(value, str) else []
    if not all(map(is_clean_text, texts)):
        return InputProblem(place(*path), "invalid_text", "The text has a NUL character or half a character pair.")
    if isinstance(value, float) and not math.isfinite(value):
        return InputProblem(place(*path), "not_finite", "The number is too large; expected at most 1.8e308.")
    return None
