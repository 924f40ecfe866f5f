"""A task works in its own tenant's schema, or not at all."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from foretell.core.tenancy import active, current_tenant
from foretell.tenants.services import suspend_tenant
from foretell.tenants.tasks import each_tenant_task, tenant_task
from tests.cast import Cast


@pytest.fixture
def no_more_tasks() -> Iterator[None]:
    """Tasks that a test makes are unmade: the queue's list of them is the process's."""
    from procrastinate.contrib.django import app

    tasks, periodic = dict(app.tasks), dict(app.periodic_registry.periodic_tasks)
    yield
    app.tasks.clear()
    app.tasks.update(tasks)
    app.periodic_registry.periodic_tasks.clear()
    app.periodic_registry.periodic_tasks.update(periodic)


@pytest.fixture
def noted(no_more_tasks: None) -> tuple[Any, list[tuple[str, int]]]:
    """A task that notes whom it found itself working for, by the tenant's name and its people."""
    runs: list[tuple[str, int]] = []

    @tenant_task()
    def note(*, times: int = 1) -> None:
        from foretell.accounts.models import User

        runs.append((current_tenant().name, User.objects.count() * times))

    return note, runs


def test_a_task_works_in_its_tenants_schema_and_leaves_none_behind(cast: Cast, noted: Any) -> None:
    note, runs = noted

    note(tenant=str(cast.acme.tenant.id))
    note(tenant=str(cast.globex.tenant.id), times=10)

    assert runs == [("acme", 4), ("globex", 10)]
    assert active() is None


def test_a_task_takes_the_tenant_it_was_given_and_not_the_one_at_hand(cast: Cast, noted: Any) -> None:
    note, runs = noted

    with cast.acme.inside():
        note(tenant=str(cast.globex.tenant.id))
        assert current_tenant() == cast.acme.tenant

    assert runs == [("globex", 1)]


@pytest.mark.parametrize("tenant", [str(uuid4()), "acme", "", "../x", "public"])
def test_a_task_of_a_tenant_that_is_gone_is_discarded_and_noted(
    cast: Cast, noted: Any, caplog: pytest.LogCaptureFixture, tenant: str
) -> None:
    note, runs = noted

    note(tenant=tenant)

    assert runs == []
    assert "task discarded" in caplog.text


def test_a_task_of_a_suspended_tenant_is_discarded(cast: Cast, noted: Any) -> None:
    note, runs = noted
    suspend_tenant(tenant=cast.acme.tenant, now=timezone.now())

    note(tenant=str(cast.acme.tenant.id))
    note(tenant=str(cast.globex.tenant.id))

    assert runs == [("globex", 1)]


def test_a_task_without_a_tenant_does_not_run(cast: Cast, noted: Any) -> None:
    note, runs = noted

    with pytest.raises(TypeError, match="tenant"):
        note()

    assert runs == []


def test_a_periodic_task_runs_for_each_tenant_that_is_not_suspended_and_one_failure_stops_no_other(
    cast: Cast, no_more_tasks: None, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[str] = []

    @each_tenant_task(cron="0 0 1 1 *")
    def look_after() -> None:
        runs.append(current_tenant().name)
        raise RuntimeError("not today")

    look_after(timestamp=0)
    assert sorted(runs) == ["acme", "globex"]
    assert caplog.text.count("not today") >= 2

    runs.clear()
    suspend_tenant(tenant=cast.globex.tenant, now=timezone.now())
    look_after(timestamp=0)
    assert runs == ["acme"]


def test_a_periodic_task_may_run_for_those_tenants_alone_that_have_something_to_do(
    cast: Cast, no_more_tasks: None
) -> None:
    runs: list[str] = []

    @each_tenant_task(cron="0 0 1 1 *", which=lambda: [cast.globex.tenant])
    def look_after() -> None:
        runs.append(current_tenant().name)

    look_after(timestamp=0)

    assert runs == ["globex"]


def bare_tasks() -> list[str]:
    """Name the tasks of ours that neither `tenant_task` nor `each_tenant_task` made."""
    from procrastinate.contrib.django import app

    app.perform_import_paths()  # type: ignore[no-untyped-call]  # procrastinate's
    makers = ("tenant_task", "each_tenant_task", "installation_task")
    wrappers = [f"{maker}.<locals>.decorate.<locals>.run" for maker in makers]
    return [
        name
        for name, task in app.tasks.items()
        if not name.startswith(("builtin:", "procrastinate.")) and task.func.__code__.co_qualname not in wrappers
    ]


def test_every_task_of_ours_knows_its_tenant() -> None:
    from procrastinate.contrib.django import app

    assert bare_tasks() == []
    assert any(name.startswith("foretell.registry.") for name in app.tasks)


def test_control_a_bare_task_is_found(no_more_tasks: None) -> None:
    from procrastinate.contrib.django import app

    @app.task(name="tests.bare")
    def bare() -> None: ...

    assert bare_tasks() == ["tests.bare"]
