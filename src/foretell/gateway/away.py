"""What is said where only the database could tell, and it is away."""

from collections.abc import Iterator
from contextlib import contextmanager

import django.db
import psycopg
from django.db import close_old_connections

from foretell.errors import ForetellError

AWAY = (django.db.OperationalError, django.db.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


class DatabaseAway(ForetellError):
    """The database does not answer, and what was asked for is nowhere else."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("The database does not answer at this moment. Try again in a few seconds.")


@contextmanager
def asked_database(*, is_away: bool = False) -> Iterator[None]:
    """Ask the database in a thread that is no request's: its connection is given back, and one that is away is said in our words.

    Parameters
    ----------
    is_away
        Whether that is known already; then nobody waits for a connection.
    """
    if is_away:
        raise DatabaseAway
    try:
        yield
    except AWAY as err:
        raise DatabaseAway from err
    finally:
        close_old_connections()
