"""Answers whose time would tell what they do not: they come at whole steps of a clock that starts with the work.

Making an account takes twice as long as finding that the address is somebody's: one look at a clock would tell the two apart.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

STEP_S = 0.5  # longer than either takes, unless the machine is very busy; then the next step hides which it was


@contextmanager
def at_whole_steps() -> Iterator[None]:
    """Let what is inside end at a whole step; what is refused, and told why, is refused at once.

    Optimization: who waits holds no connection to the database.
    """
    begun = time.monotonic()
    yield
    if not connection.in_atomic_block:
        connection.close()
    time.sleep(rest_of_step(time.monotonic() - begun))


def rest_of_step(elapsed_s: float) -> float:
    return -elapsed_s % STEP_S if STEP_S else 0.0
