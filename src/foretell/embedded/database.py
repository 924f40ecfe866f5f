"""Which database: the one that DATABASE_URL names, or the embedded server of FORETELL_HOME."""

from collections.abc import Iterator
from contextlib import contextmanager

from foretell import env
from foretell.embedded import sharing
from foretell.embedded.home import prepare_home
from foretell.embedded.parts import Log
from foretell.embedded.postgres import Postgres
from foretell.errors import ForetellError

SCHEMES = ("postgres", "postgresql")
RETRY_S = 1.0


def embedded_postgres() -> Postgres:
    return Postgres(env.home() / "postgres" / "data")


def is_embedded() -> bool:
    return not env.url("DATABASE_URL", schemes=SCHEMES)


def database_url() -> str:
    """Return where the database is, or will be once the embedded server is started."""
    return env.url("DATABASE_URL", schemes=SCHEMES) or embedded_postgres().url


@contextmanager
def running_database() -> Iterator[str]:
    """Have a database for the length of the block; the embedded server is started for the first who needs it and stopped by the last."""
    if not is_embedded():
        yield database_url()
        return
    prepare_home(env.home())
    with sharing.shared(embedded_postgres()) as url:
        yield url


class DatabaseWatch:
    """Starts the embedded server again where somebody killed it."""

    def __init__(self, server: Postgres, log: Log) -> None:
        self._server, self._log = server, log
        self._not_before = 0.0

    def __call__(self, now: float) -> None:
        """Look once; a start that fails is tried again a little later."""
        if now < self._not_before or self._server.is_running:
            return
        self._not_before = now + RETRY_S
        self._log("database", "is gone; starting it again")
        try:
            sharing.restart(self._server)
        except ForetellError as err:
            self._log("database", err.message)
