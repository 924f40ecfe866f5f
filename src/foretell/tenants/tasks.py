"""Tasks that work for one tenant: its id comes first, and its schema is chosen before anything runs.

Every task of ours is made by `tenant_task` or `each_tenant_task`, or, where it is about tenants themselves, by `installation_task`;
a bare one would run without a tenant, and a test forbids it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

import structlog
from django.db import close_old_connections
from procrastinate.contrib.django import app
from procrastinate.tasks import Task

from foretell.audit.actors import acting_task
from foretell.core.tenancy import use_public, use_tenant
from foretell.tenants.models import Tenant

AnyTask = Task[Any, Any, Any]

log = structlog.get_logger(__name__)


def tenant_task(**options: Any) -> Callable[[Callable[..., None]], AnyTask]:
    """Make a task of a function; it is deferred with ``tenant=str(tenant.id)`` beside its own keyword arguments."""

    def decorate(function: Callable[..., None]) -> AnyTask:
        @wraps(function)
        def run(*, tenant: str, **arguments: Any) -> None:
            with _fresh_connections():
                _run_for(tenant, function, arguments)

        return _registered(run, function, options)

    return decorate


def each_tenant_task(
    *, cron: str, which: Callable[[], Sequence[Tenant]] | None = None, **options: Any
) -> Callable[[Callable[[], None]], AnyTask]:
    """Make a periodic task of a function that is then called once for each tenant that is not suspended, or for `which` of them."""

    def decorate(function: Callable[[], None]) -> AnyTask:
        @wraps(function)
        def run(timestamp: int) -> None:
            with _fresh_connections():
                for tenant in (which or _active_tenants)():
                    _run_or_log(tenant, function)

        task = _registered(run, function, options)
        app.periodic(cron=cron)(task)
        return task

    return decorate


def installation_task(*, cron: str, **options: Any) -> Callable[[Callable[[], None]], AnyTask]:
    """Make a periodic task of a function that works on tenants from outside, in the public schema."""

    def decorate(function: Callable[[], None]) -> AnyTask:
        @wraps(function)
        def run(timestamp: int) -> None:
            with _fresh_connections(), use_public(), acting_task(function.__name__):
                function()

        task = _registered(run, function, options)
        app.periodic(cron=cron)(task)
        return task

    return decorate


def _registered(run: Callable[..., None], function: Callable[..., None], options: dict[str, Any]) -> AnyTask:
    decorate: Any = app.task(name=f"{function.__module__}.{function.__name__}", **options)
    task: AnyTask = decorate(run)
    return task


class _fresh_connections:
    """Give connections back before and after: worker threads live long, and a database may restart meanwhile."""

    def __enter__(self) -> None:
        close_old_connections()

    def __exit__(self, *_: object) -> None:
        close_old_connections()


def _run_for(tenant_id: str, function: Callable[..., None], arguments: dict[str, Any]) -> None:
    tenant = _tenant(tenant_id)
    if tenant is None or tenant.is_suspended:
        log.warning("task discarded: its tenant is gone or suspended", tenant_id=tenant_id, task=function.__name__)
        return
    with _working(tenant, function):
        function(**arguments)


@contextmanager
def _working(tenant: Tenant, function: Callable[..., None]) -> Iterator[None]:
    """Work in the tenant's schema, as the task: that is who acts, for the audit."""
    named = structlog.contextvars.bound_contextvars(tenant=tenant.name)
    with use_tenant(tenant), acting_task(function.__name__), named:
        yield


def _run_or_log(tenant: Tenant, function: Callable[[], None]) -> None:
    """Keep one tenant's trouble from the others: it is logged, and the next period tries again."""
    with _working(tenant, function):
        try:
            function()
        except Exception:
            log.exception("a periodic task failed for a tenant", task=function.__name__)


def _tenant(tenant_id: str) -> Tenant | None:
    try:
        identifier = UUID(tenant_id)
    except ValueError:
        return None
    with use_public():
        return Tenant.objects.filter(id=identifier).first()


def _active_tenants() -> list[Tenant]:
    with use_public():
        return list(Tenant.objects.filter(suspended_at=None))
