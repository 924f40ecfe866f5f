"""Argon2id with OWASP's parameters, and only so many at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from foretell.errors import ForetellError

AT_ONCE = 2
LONGEST_WAIT_S = 10.0

_hashing = threading.BoundedSemaphore(AT_ONCE)


class TooManyLogins(ForetellError):
    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at this moment. Try again in a few seconds.")


@contextmanager
def _a_place() -> Iterator[None]:
    """Security: a burst of logins costs two hashes' memory and time at once, not one each."""
    if not _hashing.acquire(timeout=LONGEST_WAIT_S):
        raise TooManyLogins
    try:
        yield
    finally:
        _hashing.release()


class Argon2Hasher(Argon2PasswordHasher):
    """Django's default takes 100 MB and 0.4 s for each password; this, 19 MiB (OWASP's first choice)."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _a_place():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _a_place():
            return super().verify(password, encoded)
