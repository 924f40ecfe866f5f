"""Argon2id with OWASP's parameters, and only so many at once, in threads of their own that let others go first."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

from foretell.errors import ForetellError

T = TypeVar("T")

AT_ONCE = 1  # in each process: of those that serve there is one for each core
LONGEST_WAIT_S = 10.0
PATIENCE = 10  # how nice: under load, a hash gets a tenth of what a prediction gets

_hashing = threading.BoundedSemaphore(AT_ONCE)


class TooManyLogins(ForetellError):
    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at this moment. Try again in a few seconds.")


@contextmanager
def _a_place() -> Iterator[None]:
    """Security: a burst of logins costs one hash's memory and time at once in a process, not one each."""
    if not _hashing.acquire(timeout=LONGEST_WAIT_S):
        raise TooManyLogins
    try:
        yield
    finally:
        _hashing.release()


def _hashed(work: Callable[..., T], *arguments: str) -> T:
    """Do the work in a thread that does nothing else.

    Optimization: glibc keeps for each thread what it once asked for, and here that is 19 MiB: a burst over a hundred threads kept
    half a gigabyte.
    """
    with _a_place():
        return _hashers().submit(work, *arguments).result()


@cache
def _hashers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hashing", initializer=_let_others_go_first)


def _let_others_go_first() -> None:
    """Optimization: predictions are answered by the same cores, in less time than a hash takes."""
    if sys.platform == "linux":  # elsewhere priorities are of processes
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PATIENCE)


os.register_at_fork(after_in_child=_hashers.cache_clear)  # a child has none of its parent's threads


class Argon2Hasher(Argon2PasswordHasher):
    """Django's default takes 100 MB and 0.4 s for each password; this, 19 MiB (OWASP's first choice)."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return _hashed(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        return _hashed(super().verify, password, encoded)
