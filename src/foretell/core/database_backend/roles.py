"""A role of PostgreSQL for each tenant, named as its schema: whatever a query says, the server lets it read no other tenant's rows.

Security: roles stop mistakes, such as a name with the wrong schema or a function that was not thought through. They do not stop
somebody who can put statements of their own into a query: `SET ROLE` is open to every session of the user who connects.
"""

import threading
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from psycopg import sql

TEMPLATE_SCHEMA = "t_template"  # what new tenants are copied from; nobody's, so that it has no role
OFF = "off"

_STATE = """
SELECT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = session_user) AS may_create,
       count(*) AS schemas,
       count(*) FILTER (
           WHERE role.oid IS NOT NULL AND pg_has_role(session_user, role.oid, %(how)s)
           AND has_schema_privilege(role.oid, schema.oid, 'USAGE')
       ) AS usable
FROM pg_namespace AS schema LEFT JOIN pg_roles AS role ON role.rolname = schema.nspname
WHERE schema.nspname ~ '^t_[a-z0-9]{1,40}$' AND schema.nspname <> %(template)s
"""


class RoleState(NamedTuple):
    """What a server has of roles: whether this user may make them, how many tenants there are, and how many it can work as."""

    may_create: bool
    schemas: int
    usable: int

    @property
    def is_usable(self) -> bool:
        """Whether every tenant has its role. Security: all or none, so that a role that is missing is an error, and not a way around."""
        return self.usable == self.schemas and (self.may_create or self.schemas > 0)


_once = threading.Lock()
_found: dict[tuple[Any, ...], bool] = {}


def uses_roles(connection: Any) -> bool:
    """Whether queries of tenants go by their roles at this server; looked up once, before this process's first query of it."""
    settings_dict = connection.settings_dict
    server = (settings_dict["HOST"], settings_dict["PORT"], settings_dict["NAME"], settings_dict["USER"])
    found = _found.get(server)
    if found is None:
        with _once:
            found = _found.get(server)
            if found is None:
                found = _found[server] = settings.TENANT_ROLES != OFF and role_state(connection).is_usable
    return found


def look_again() -> None:
    """Forget what was found: roles were made or granted."""
    _found.clear()


def role_state(connection: Any) -> RoleState:
    with connection.wrap_database_errors, side_connection(connection) as session:
        how = "SET" if session.info.server_version >= 160_000 else "MEMBER"
        row = session.execute(_STATE, {"how": how, "template": TEMPLATE_SCHEMA}).fetchone()
    return RoleState(*row)


def has_schema(connection: Any, schema_name: str) -> bool:
    """Whether a schema is there, asked over a connection of its own: the one at hand may be in a failed transaction."""
    with connection.wrap_database_errors, side_connection(connection) as session:
        row = session.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema_name]).fetchone()
    return bool(row == (True,))


def side_connection(connection: Any) -> Any:
    """Connect beside a connection of Django's, as it does; in autocommit mode."""
    parameters = {
        key: value
        for key, value in connection.get_connection_params().items()
        if key not in ("cursor_factory", "context")
    }
    return psycopg.connect(**parameters, autocommit=True)


class Place(NamedTuple):
    """Where a connection's next statement is executed: the search path, and the role; None: the connecting user's own."""

    search_path: tuple[str, ...]
    role: str | None


@lru_cache(maxsize=4_096)
def statement_for(place: Place, *, with_roles: bool) -> str:
    """Return what brings a connection there. Two statements in one string: one round trip, and both hold or neither.

    They are no queries, so that what has to come first in a transaction, its isolation level, may still follow.
    """
    path = sql.SQL("SET search_path = {}").format(sql.SQL(", ").join(map(sql.Identifier, place.search_path)))
    if not with_roles:
        return path.as_string()
    role = sql.SQL("NONE") if place.role is None else sql.Identifier(place.role)
    return sql.SQL("{}; SET ROLE {}").format(path, role).as_string()
