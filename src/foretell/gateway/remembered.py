"""Passwords that were right a while ago: what is asked while the database, which alone could check them, is away.

Security: what is kept is a digest that only this process can make, and it holds only while nothing at all changed of the tenant.
"""

import os
from collections import OrderedDict
from hashlib import blake2b

from foretell.gateway.catalogue import Known

MAX_KEPT = 10_000


class RememberedPasswords:
    def __init__(self) -> None:
        self._secret = os.urandom(32)
        self._kept: OrderedDict[bytes, tuple[int, str]] = OrderedDict()  # the tenant's revision then, and whose it was

    def remember(self, known: Known, *, name: str, password: str, user_id: str) -> None:
        """Keep that a password was right for the tenant as it is known."""
        self._kept[self._digest(known, name, password)] = (known.number, user_id)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def user_id(self, known: Known, *, name: str, password: str) -> str | None:
        """Return whose password this was, where nothing changed since."""
        number, user_id = self._kept.get(self._digest(known, name, password), (None, None))
        return user_id if number == known.number else None

    def _digest(self, known: Known, name: str, password: str) -> bytes:
        shown = "\0".join((known.wanted.id, name, password))
        return blake2b(shown.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16).digest()
