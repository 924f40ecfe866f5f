"""A database that is away, in words: what commands say instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import django.db
import psycopg

from foretell.errors import ForetellError


class DatabaseUnreachable(ForetellError):
    """Nobody answers where the database should be, or does not let us in."""

    code = "database_unreachable"
    kind = "unavailable"

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database cannot be used: {' '.join(found.split())} Check DATABASE_URL and that its server runs; "
            "without DATABASE_URL, Foretell brings its own."
        )


@contextmanager
def reached_database() -> Iterator[None]:
    """Say in one sentence that the database was not reached, or went away, within the block."""
    try:
        yield
    except (django.db.OperationalError, psycopg.OperationalError) as err:
        raise DatabaseUnreachable(str(err)) from err
