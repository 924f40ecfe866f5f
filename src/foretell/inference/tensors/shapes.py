"""Shapes: read strictly, and compared with what came before anything is allocated by them."""

from itertools import chain
from math import prod
from typing import Any

from foretell.inference.codec.wording import place, shown
from foretell.inference.errors import InputProblem, InvalidInput

MAX_DIMENSIONS = 8

Shape = tuple[int, ...]


def read_shape(value: Any, at: str) -> Shape:
    """Return a shape; its first dimension may be -1, which is however many there are.

    Raises
    ------
    InvalidInput
    """
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_DIMENSIONS:
        raise wrong(at, "shape", "invalid_shape", f"Found {shown(value)}; expected a list of 1 to 8 dimensions.")
    for position, size in enumerate(value):
        if type(size) is not int or size < (-1 if position == 0 else 0):
            raise wrong(at, "shape", "invalid_shape", f"Found {shown(size)}; expected an integer from 0.")
    return tuple(value)


def resolved(shape: Shape, count: int, at: str) -> Shape:
    """Return the shape with its open dimension counted; `count` elements came, and have to fit it."""
    if shape[0] != -1:
        if prod(shape) != count:  # Security: Python's integers do not overflow, and nothing is made by them
            detail = f"Found {count:,} elements; expected {_size(prod(shape))}, as the shape {list(shape)} says."
            raise wrong(at, "data", "wrong_length", detail)
        return shape
    inner = prod(shape[1:])
    if not inner or count % inner:
        detail = f"Found {count:,} elements, which the shape {list(shape)} does not divide."
        raise wrong(at, "data", "wrong_length", detail)
    return (count // inner, *shape[1:])


def flattened(data: Any, shape: Shape, at: str) -> list[Any]:
    """Return nested or flat data as one list in row-major order; nested data must have the form of the shape."""
    if not isinstance(data, list):
        raise wrong(at, "data", "not_a_list", f"Found {shown(data)}; expected a list.")
    is_nested = len(shape) > 1 and bool(data) and isinstance(data[0], list)
    if not is_nested:
        return data
    rows: list[Any] = data
    for depth, size in enumerate(shape):
        if size != -1 and depth == 0 and len(rows) != size:
            raise wrong(
                at, "data", "wrong_length", f"Found {len(rows):,} rows; expected {_size(size)}, as the shape says."
            )
        if depth == len(shape) - 1:
            break
        rows = _inner(rows, shape[depth + 1], at)
    return rows


def _inner(rows: list[Any], size: int, at: str) -> list[Any]:
    for row in rows:
        if type(row) is not list or len(row) != size:
            found = f"a list of {len(row):,}" if isinstance(row, list) else shown(row)
            raise wrong(
                at, "data", "wrong_length", f"Found {found}; expected a list of {_size(size)}, as the shape says."
            )
    return list(chain.from_iterable(rows))


def _size(size: int) -> str:
    return f"{size:,}" if size < 10**30 else "far more"


def wrong(at: str, part: str, code: str, detail: str) -> InvalidInput:
    """Return the refusal of a part of a tensor: its place, what was found and what is allowed."""
    return InvalidInput(InputProblem(place(at, part), code, detail))
