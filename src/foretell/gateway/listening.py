"""A connection of its own to the database, on which one hears of changes, and asks for the revisions of all tenants."""

import contextlib
import os
import selectors
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection

CHANNEL = "foretell_catalogue"
# Beside what every connection has, by which a database that went away without a word is noticed.
PARAMETERS = {"connect_timeout": 5, "application_name": "foretell catalogue"}
STATEMENT_TIMEOUT_MS = 10_000


class Bell:
    """Wakes whoever waits on it, from any thread."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)

    def ring(self) -> None:
        with contextlib.suppress(OSError):  # full: it rings already; closed: nobody waits any more
            os.write(self._writer, b"!")

    def silence(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self.reader, 4_096):
                pass

    def close(self) -> None:
        ends, self.reader, self._writer = {self.reader, self._writer} - {-1}, -1, -1
        for end in ends:
            os.close(end)


class Listener:
    """Hears that something changed; what, the revisions tell. A notice may be lost, so nobody relies on it alone."""

    def __init__(self, session: "psycopg.Connection[tuple[str, int]]", bell: Bell, *, hears: bool) -> None:
        self._session, self._bell = session, bell
        session.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
        if hears:
            session.execute(f"LISTEN {CHANNEL}")
        self._selector = selectors.DefaultSelector()
        for source in (session, bell.reader):
            self._selector.register(source, selectors.EVENT_READ)

    def numbers(self) -> dict[str, int]:
        """Return the revision of each tenant, by schema."""
        rows = self._session.execute("SELECT schema_name, number FROM public.tenants_revision")
        return dict(rows.fetchall())

    def wait(self, timeout_s: float) -> None:
        """Return when something was heard, the bell rang, or the time is over."""
        if not self._has_heard() and self._selector.select(timeout_s):
            self._bell.silence()
            self._has_heard()

    def close(self) -> None:
        self._selector.close()

    def _has_heard(self) -> bool:
        """Read the notices that came, those that came while something was asked included."""
        return bool(list(self._session.notifies(timeout=0)))


@contextmanager
def listening(bell: Bell, *, hears: bool = True) -> Iterator[Listener]:
    """Connect as Django does, beside its pool; raises Django's OperationalError where nobody answers."""
    parameters = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name not in ("cursor_factory", "context")
    }
    with connection.wrap_database_errors:
        session = psycopg.connect(**{**PARAMETERS, **parameters}, autocommit=True)
    with session:
        listener = Listener(session, bell, hears=hears)
        try:
            yield listener
        finally:
            listener.close()
