"""Many tenants with many models each, through the services that the command line and the API call.

Some processes make them side by side, each tenant in one transaction: its schema, its owner with a key, and its models. A model is
pushed as any other; but its build, which is the demo's iris again, is taken over from there: conversion and checks in the
sandbox would take half an hour for 10,000.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIDE_BY_SIDE, QUEUE_WITHIN_S = 3, 300.0


@dataclass(frozen=True)
class Made:
    """A tenant with models `iris-0`, `iris-1` and so on, and its owner's key."""

    name: str
    key: str


def make_tenants(home: Path, tenants: int, models: int, *, within_s: float) -> list[Made]:
    """Make as many tenants as `within_s` suffices for, with so many models each; return them when all of it is at rest."""
    environment = {**os.environ, "FORETELL_HOME": str(home), "DJANGO_SETTINGS_MODULE": "foretell.config.settings"}
    commands = [
        [sys.executable, __file__, str(first), str(tenants), str(models), str(within_s)]
        for first in range(min(SIDE_BY_SIDE, tenants))
    ]
    makers = [
        subprocess.Popen(each, env=environment | {"LOG_LEVEL": "ERROR"}, stdout=subprocess.PIPE, text=True)
        for each in commands
    ]
    try:
        said = [maker.communicate()[0] for maker in makers]
    finally:
        for maker in makers:
            maker.kill()
    failed = [maker.returncode for maker in makers if maker.returncode]
    assert not failed, f"makers of tenants ended with {failed}; their lines are above"
    return [Made(*json.loads(line)) for lines in said for line in lines.splitlines()]


def wait_for_queue() -> None:
    """Wait until the worker has seen that there is nothing left to build."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    from foretell.core.tenancy import use_public

    deadline = time.monotonic() + QUEUE_WITHIN_S
    with use_public():
        while ProcrastinateJob.objects.filter(
            status__in=["todo", "doing"], task_name__endswith="build_version"
        ).exists():
            assert time.monotonic() < deadline, "the queue is not empty in time"
            time.sleep(0.5)


# --- in a process of its own ----------------------------------------------------------------------------------------------


def make_some(first: int, tenants: int, models: int, within_s: float) -> None:
    """Make each third tenant, say; write name and key of each."""
    import django

    django.setup()
    deadline, template = time.monotonic() + within_s, demo_iris()
    for number in range(first, tenants, SIDE_BY_SIDE):
        if time.monotonic() > deadline:
            return
        print(json.dumps(make_one(f"tenant-{number}", models, template)), flush=True)


def demo_iris() -> Any:
    """Return what the demo's iris was built to."""
    from foretell.core.tenancy import use_public, use_tenant
    from foretell.inference.building import BuiltModel
    from foretell.inference.examples import Examples
    from foretell.inference.parity import Parity
    from foretell.registry import storage
    from foretell.registry.models import ModelVersion
    from foretell.tenants.models import Tenant

    with use_public():
        demo = Tenant.objects.get(name="demo")
    with use_tenant(demo):
        version = ModelVersion.objects.get(model__name="iris", number=1)
        signature = version.read_signature()
        return BuiltModel(
            runtime="onnx", artifact=storage.read(version.sha256), signature=signature, reason="",
            parity=Parity.from_json(version.parity), examples=Examples.from_json(version.examples, signature),
            libraries=version.lineage["libraries"],
        )  # fmt: skip


def make_one(name: str, models: int, built: Any) -> tuple[str, str]:
    from django.db import transaction

    from foretell.accounts.services import create_tenant_with_owner
    from foretell.core.tenancy import use_public, use_tenant

    with use_public(), transaction.atomic():
        made = create_tenant_with_owner(name=name, username="alice", email="alice@a.example")
        with use_tenant(made.tenant):
            push_all(made.owner, models, built)
    return name, made.api_key


def push_all(owner: Any, models: int, built: Any) -> None:
    from django.utils import timezone

    from foretell.accounts.permissions import Principal
    from foretell.registry import building, storage
    from foretell.registry.pushing import PushMetadata, Upload, push_version

    stored, now, principal = storage.store([built.artifact]), timezone.now(), Principal(user=owner)
    for number in range(models):
        pushed, _ = push_version(
            name=f"iris-{number}", uploads=[Upload("iris.onnx", stored)], sample=None, metadata=PushMetadata(),
            principal=principal, now=now,
        )  # fmt: skip
        version = building.claim(pushed.pk, now=now)
        assert version is not None
        building.finish(version, built, stored)


if __name__ == "__main__":
    make_some(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
