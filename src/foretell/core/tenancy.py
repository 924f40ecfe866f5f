"""Which tenant the code at hand works for: a ContextVar, so that threads, tasks and coroutines each have their own.

Nothing here touches the database; `foretell.core.database_backend` reads it at every query.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from foretell.errors import ForetellError

PUBLIC_SCHEMA = "public"


class NoTenant(ForetellError):
    """A query, or a question about the tenant, outside any tenant."""

    code = "no_tenant"

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "No tenant is chosen here, so there is no schema to read from. Wrap the code in use_tenant(tenant) or, for "
            f"tenants and domains themselves, in use_public(). {detail}".rstrip()
        )


class HasSchema(Protocol):
    """A tenant, as far as this room is concerned."""

    @property
    def schema_name(self) -> Any: ...


class PublicSchema:
    """What stands in a tenant's place where tenants and domains themselves are read or written."""

    schema_name = PUBLIC_SCHEMA

    def get_tenant_type(self) -> None:
        """Answer django-tenants, which asks it of every tenant; we have one type only."""


PUBLIC = PublicSchema()

_tenant: ContextVar[HasSchema | None] = ContextVar("foretell_tenant", default=None)
_is_owner: ContextVar[bool] = ContextVar("foretell_is_owner", default=False)


def active() -> HasSchema | None:
    """Return the tenant at hand, `PUBLIC`, or None where none was chosen."""
    return _tenant.get()


def activate(tenant: HasSchema | None) -> None:
    """Choose a tenant for the rest of this context; prefer `use_tenant`, which ends."""
    _tenant.set(tenant)


def current_tenant() -> Any:
    """Return the tenant at hand.

    Raises
    ------
    NoTenant
        outside any tenant, and in the public schema.
    """
    tenant = _tenant.get()
    if tenant is None or tenant.schema_name == PUBLIC_SCHEMA:
        raise NoTenant
    return tenant


@contextmanager
def use_tenant(tenant: HasSchema) -> Iterator[None]:
    """Work for `tenant` until the block ends, then for whoever was before."""
    token = _tenant.set(tenant)
    try:
        yield
    finally:
        _tenant.reset(token)


@contextmanager
def use_public() -> Iterator[None]:
    """Work in the public schema, where only tenants, domains and the queue are."""
    with use_tenant(PUBLIC):
        yield


@contextmanager
def as_owner() -> Iterator[None]:
    """Work as the database's user itself, without the tenant's role: where a schema's tables are made, changed or read whole."""
    token = _is_owner.set(True)
    try:
        yield
    finally:
        _is_owner.reset(token)


def is_owner() -> bool:
    """Whether the code at hand may do to a tenant's schema what the tenant's own role may not."""
    return _is_owner.get()
