"""django-tenants' backend with six changes, all but the last a wrong read that was measured with the stock one.

- The tenant is in a ContextVar (`foretell.core.tenancy`): a new thread or task starts with none, not in public.
- Without a tenant a query raises `NoTenant`.
- A cursor that is kept while the tenant changes follows it; the stock backend looks only when one is opened.
- A failed ``SET search_path`` raises; the stock backend swallows it, and the query runs on the previous tenant's path.
- A pooler that shares sessions between clients is found before the first query, and refused.
- A tenant that was deleted while it is being served is not found; the stock backend says that a table does not exist.
"""

import re
from typing import Any

from django.db import ProgrammingError
from django.db.backends.postgresql.psycopg_any import sql
from django_tenants.postgresql_backend import base as django_tenants_backend
from psycopg.errors import UndefinedTable
from psycopg.pq import TransactionStatus

from foretell.core.poolers import refuse_pooler_once
from foretell.core.tenancy import PUBLIC, PUBLIC_SCHEMA, NoTenant, activate, active
from foretell.errors import ForetellError
from foretell.problems import NOT_FOUND

# Security: schema names are chosen by us (tenants.services) and never come from text that a user wrote.
SCHEMA_NAME = re.compile(r"t_[a-z0-9]{1,40}|public")


class TenantGone(ForetellError, ProgrammingError):
    """A tenant that was deleted while it was being served: what is not there any more is not there."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(NOT_FOUND)


class UnexpectedSchemaName(ValueError):
    """A schema name that Foretell would never have chosen."""


class DatabaseWrapper(django_tenants_backend.DatabaseWrapper):  # type: ignore[misc]  # django-tenants is untyped
    """One connection; which schema it reads is asked anew at every cursor and every statement."""

    search_path_set_schemas: list[str] | None
    _setting_search_path: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave the choice as it is: the parent goes to public, and each thread's first query makes a wrapper of its own."""
        tenant = active()
        super().__init__(*args, **kwargs)
        activate(tenant)
        self.execute_wrappers.append(self._follow_tenant)

    # --- the tenant is the context's, not the connection's: django-tenants' own code goes through these ---

    @property
    def tenant(self) -> Any:
        return active()

    @tenant.setter
    def tenant(self, tenant: Any) -> None:
        """Leave the choice to `set_tenant`: the parent's constructor assigns None here, which must choose nothing."""

    @property
    def schema_name(self) -> str | None:
        tenant = active()
        return None if tenant is None else str(tenant.schema_name)

    @schema_name.setter
    def schema_name(self, schema_name: str | None) -> None:
        """Leave the choice to `set_tenant`."""

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        activate(tenant)
        self.include_public_schema = include_public
        self.search_path_set_schemas = None
        django_tenants_backend.ContentType.objects.clear_cache()  # their ids differ between schemas

    def set_schema_to_public(self) -> None:
        self.set_tenant(PUBLIC)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        refuse_pooler_once(self)
        return super().get_new_connection(conn_params)

    # --- the search path ---

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._setting_search_path:
            return
        search_path = self._get_cursor_search_paths()
        self._setting_search_path = True
        try:
            if cursor is not None:
                self._set_search_path(cursor, search_path)
            else:
                with self.connection.cursor() as own_cursor:
                    self._set_search_path(own_cursor, search_path)
        finally:
            self._setting_search_path = False

    def _follow_tenant(self, execute: Any, query: Any, params: Any, many: bool, context: Any) -> Any:
        """Execute for the tenant at hand, also on a cursor that was opened for another, or used by another in between."""
        if (
            self.connection is not None
            and not self._setting_search_path
            and self._get_cursor_search_paths() != self.search_path_set_schemas
        ):
            self._handle_search_path()
        try:
            return execute(query, params, many, context)
        except ProgrammingError as err:
            if self._is_schema_gone(err):
                raise TenantGone from err
            raise

    def _is_schema_gone(self, err: ProgrammingError) -> bool:
        """Whether a table is missing because its tenant was deleted since the request came, and not for want of a migration."""
        if not isinstance(err.__cause__, UndefinedTable) or self.schema_name in (None, PUBLIC_SCHEMA):
            return False
        if self.connection.info.transaction_status != TransactionStatus.IDLE:
            return False  # nothing can be asked in a transaction that failed
        with self.connection.cursor() as cursor:
            return bool(cursor.execute("SELECT to_regnamespace(%s)", [self.schema_name]).fetchone() == (None,))

    def _set_search_path(self, cursor: Any, search_path: list[str]) -> None:
        """In a transaction that failed already nothing can be read, so there the path does not matter."""
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return
        cursor.execute(sql.SQL("SET search_path = {}").format(sql.SQL(", ").join(map(sql.Identifier, search_path))))
        self.search_path_set_schemas = search_path

    def _get_cursor_search_paths(self) -> list[str]:
        schema_name = self.schema_name
        if schema_name is None:
            raise NoTenant
        if not SCHEMA_NAME.fullmatch(schema_name):
            raise UnexpectedSchemaName(f"{schema_name!r} is not a schema that Foretell made")
        if schema_name == PUBLIC_SCHEMA or not self.include_public_schema:
            return [schema_name]
        return [schema_name, PUBLIC_SCHEMA]
