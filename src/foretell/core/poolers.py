"""PgBouncer in transaction mode mixes tenants: a session's search path ends up under another's query. It is found, and refused."""

import threading
from typing import Any

import psycopg

from foretell.errors import ForetellError

PROBES = 8


class TransactionPooler(ForetellError):
    """Between us and PostgreSQL sits a pooler that hands a session's statements to different servers."""

    code = "transaction_pooler"
    kind = "unavailable"

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database is reached through a pooler that shares server sessions ({found}). There, one tenant's search path would serve "
            "another's queries. Use PgBouncer in session mode, or connect to PostgreSQL directly: Foretell pools connections itself."
        )


_once = threading.Lock()
_direct: set[tuple[Any, Any]] = set()


def refuse_pooler_once(connection: Any) -> None:
    """Look at each server before this process's first query of it; `core.database_backend` asks, so nothing goes around it."""
    server = (connection.settings_dict["HOST"], connection.settings_dict["PORT"])
    with _once:
        if server not in _direct:
            refuse_pooler(connection)
            _direct.add(server)


def refuse_pooler(connection: Any) -> None:
    """Raise where what a session sets does not stay with it.

    Two clients take turns: each sets a value of its own and must find it unchanged. A transaction pooler, idle otherwise,
    hands both the same server. The variable is one of ours: poolers keep those that they know, such as application_name, apart.
    """
    parameters = {
        key: value
        for key, value in connection.get_connection_params().items()
        if key not in ("cursor_factory", "context")
    }
    with (
        psycopg.connect(**parameters, autocommit=True) as first,
        psycopg.connect(**parameters, autocommit=True) as second,
    ):
        for number in range(PROBES):
            for session, name in ((first, "first"), (second, "second")):
                session.execute("SELECT set_config('foretell.probe', %s, false)", (f"foretell-{name}-{number}",))
            for session, name in ((first, "first"), (second, "second")):
                row = session.execute("SELECT current_setting('foretell.probe', true)").fetchone()
                if row is None or row[0] != f"foretell-{name}-{number}":
                    raise TransactionPooler(f"a setting of the {name} of two sessions was gone at once")
