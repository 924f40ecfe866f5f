"""One tensor as it came, its elements taken out of JSON or bytes and checked against its own datatype and shape."""

from dataclasses import dataclass
from typing import Any

from foretell.inference.tensors.datatypes import Datatype


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array.

    values : its elements in row-major order, as JSON would have them: numbers, bools, texts; None where one is missing.
    content_type : how its texts are to be read, in MLServer's words: "" (as they are), ``base64``, ``pd_json``, …
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    values: list[Any]
    content_type: str = ""
