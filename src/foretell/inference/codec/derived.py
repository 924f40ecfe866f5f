"""What is worked out from a signature once, and kept as long as the signature itself lives."""

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from foretell.inference.signature import Signature

T = TypeVar("T")


class Derived(Generic[T]):
    """Something made of a signature at its first use.

    Optimization: found by identity, since hashing a signature costs more than reading a row. What is made must not hold the
    signature, or neither would ever go.
    """

    def __init__(self, make: Callable[[Signature], T]) -> None:
        self._make = make
        self._kept: dict[int, tuple[weakref.ref[Signature], T]] = {}

    def __call__(self, signature: Signature) -> T:
        found = self._kept.get(id(signature))
        # Race condition: identities are given out again; the reference says whether it is still the same signature.
        if found is not None and found[0]() is signature:
            return found[1]
        made = self._make(signature)
        key = id(signature)
        self._kept[key] = (weakref.ref(signature, lambda gone: self._drop(key, gone)), made)
        return made

    def _drop(self, key: int, gone: "weakref.ref[Signature]") -> None:
        found = self._kept.get(key)
        if found is not None and found[0] is gone:
            self._kept.pop(key, None)
