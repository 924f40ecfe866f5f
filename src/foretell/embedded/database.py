"""Which database: the one that DATABASE_URL names, or the embedded server of FORETELL_HOME."""

from collections.abc import Iterator
from contextlib import contextmanager

from foretell import env
from foretell.embedded.postgres import Postgres

SCHEMES = ("postgres", "postgresql")


def embedded_postgres() -> Postgres:
    return Postgres(env.home() / "postgres" / "data")


def is_embedded() -> bool:
    return not env.url("DATABASE_URL", schemes=SCHEMES)


def database_url() -> str:
    """Return where the database is, or will be once the embedded server is started."""
    return env.url("DATABASE_URL", schemes=SCHEMES) or embedded_postgres().url


@contextmanager
def running_database() -> Iterator[str]:
    """Have a database for the length of the block: a running one is used as it is, a server we started is stopped again."""
    if not is_embedded():
        yield database_url()
        return
    server = embedded_postgres()
    was_running = server.is_running
    try:
        yield server.start()
    finally:
        if not was_running:
            server.stop()
