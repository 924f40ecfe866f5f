"""django-tenants' backend with seven changes, most of them a wrong read that was measured with the stock one.

- The tenant is in a ContextVar (`foretell.core.tenancy`): a new thread or task starts with none, not in public.
- Without a tenant a query raises `NoTenant`.
- A cursor that is kept while the tenant changes follows it; the stock backend looks only when one is opened.
- A failed ``SET search_path`` raises; the stock backend swallows it, and the query runs on the previous tenant's path.
- A pooler that shares sessions between clients is found before the first query, and refused.
- Together with the path goes the tenant's role (`roles`): the server itself refuses what is another tenant's.
- A tenant that was deleted while it is being served is not found; the stock backend says that a table does not exist.
"""

import re
from typing import Any

from django.conf import settings
from django.db import DatabaseError, OperationalError, ProgrammingError
from django_tenants.postgresql_backend import base as django_tenants_backend
from psycopg.errors import InsufficientPrivilege, InvalidParameterValue, UndefinedTable
from psycopg.pq import TransactionStatus

from foretell.core.database_backend.roles import OFF, Place, has_schema, statement_for, uses_roles
from foretell.core.poolers import refuse_pooler_once
from foretell.core.tenancy import PUBLIC, PUBLIC_SCHEMA, NoTenant, activate, active, is_owner
from foretell.errors import ForetellError
from foretell.problems import NOT_FOUND

# Security: schema names are chosen by us (tenants.services) and never come from text that a user wrote.
SCHEMA_NAME = re.compile(r"t_[a-z0-9]{1,40}|public")


class TenantGone(ForetellError, ProgrammingError):
    """A tenant that was deleted while it was being served: what is not there any more is not there."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(NOT_FOUND)


class TenantRoleMissing(ForetellError, OperationalError):
    """A tenant whose role is not there, or not this user's to take: nothing is read without it."""

    code = "tenant_role_missing"
    kind = "unavailable"

    def __init__(self, schema_name: str) -> None:
        super().__init__(
            f"The database has no role {schema_name} that this user may take on. `foretell migrate` makes it, by a user with CREATEROLE."
        )


class UnexpectedSchemaName(ValueError):
    """A schema name that Foretell would never have chosen."""


class DatabaseWrapper(django_tenants_backend.DatabaseWrapper):  # type: ignore[misc]  # django-tenants is untyped
    """One connection; which schema it reads is asked anew at every cursor and every statement."""

    search_path_set_schemas: Place | None  # the parent's name; it forgets it wherever the server does
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
        uses_roles(self)
        return super().get_new_connection(conn_params)

    # --- the search path ---

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._setting_search_path:
            return
        place = self._place()
        self._setting_search_path = True
        try:
            if cursor is not None:
                self._go_to(cursor, place)
            else:
                with self.connection.cursor() as own_cursor:
                    self._go_to(own_cursor, place)
        except DatabaseError as err:
            if isinstance(err.__cause__ or err, InvalidParameterValue | InsufficientPrivilege):
                raise self._without_role(place) from err
            raise
        except (InvalidParameterValue, InsufficientPrivilege) as err:
            raise self._without_role(place) from err
        finally:
            self._setting_search_path = False

    def _follow_tenant(self, execute: Any, query: Any, params: Any, many: bool, context: Any) -> Any:
        """Execute for the tenant at hand, also on a cursor that was opened for another, or used by another in between."""
        if (
            self.connection is not None
            and not self._setting_search_path
            and self._place() != self.search_path_set_schemas
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

    def _go_to(self, cursor: Any, place: Place) -> None:
        """In a transaction that failed already nothing can be read, so there the place does not matter."""
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return
        cursor.execute(statement_for(place, with_roles=uses_roles(self)))
        self.search_path_set_schemas = place

    def _without_role(self, place: Place) -> Exception:
        """Say why a role could not be taken on: its tenant is gone, or it was never made."""
        schema_name = place.search_path[0]
        return TenantRoleMissing(schema_name) if has_schema(self, schema_name) else TenantGone()

    def _place(self) -> Place:
        """Return where the next statement belongs: asked anew for each, since the tenant is the context's."""
        schema_name = self.schema_name
        if schema_name is None:
            raise NoTenant
        if not SCHEMA_NAME.fullmatch(schema_name):
            raise UnexpectedSchemaName(f"{schema_name!r} is not a schema that Foretell made")
        if schema_name == PUBLIC_SCHEMA:
            return Place((PUBLIC_SCHEMA,), None)
        path = (schema_name, PUBLIC_SCHEMA) if self.include_public_schema else (schema_name,)
        is_guarded = not is_owner() and settings.TENANT_ROLES != OFF and uses_roles(self)
        return Place(path, schema_name if is_guarded else None)

    def _get_cursor_search_paths(self) -> list[str]:
        """Answer django-tenants' own code, which knows of no role."""
        return list(self._place().search_path)
