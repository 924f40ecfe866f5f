"""What the catalogue in memory costs: `python benchmarks/catalogue.py [tenants] [models of each]`, 1,000 and 10 without.

A PostgreSQL of its own in a temporary directory; about a minute, most of it to make the tenants. Prints a table in Markdown.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TENANTS, MODELS, REVOCATIONS = 1_000, 10, 100
WATCHED = {
    "accounts_user": "username, role, is_active, password",
    "accounts_apikey": "key_id, secret_digest, user_id, scopes, model_names, expires_at, revoked_at",
    "registry_registeredmodel": "name, archived_at, limit_scope, log_payload, redacted_inputs",
    "registry_modelversion": "model_id, number, state, reason, sha256, size_bytes, runtime, seal",
    "registry_alias": "model_id, name, version_id",
}


def main(tenants: int, models: int) -> None:
    with tempfile.TemporaryDirectory(prefix="foretell-catalogue-") as home:
        Path(home).chmod(0o711)
        os.environ |= {
            "FORETELL_HOME": home,
            "DJANGO_SETTINGS_MODULE": "foretell.config.settings",
            "LOG_LEVEL": "ERROR",
        }
        import django

        django.setup()
        from foretell.config.migrating import migrate
        from foretell.embedded.database import running_database

        with running_database():
            migrate()
            make_tenants(tenants, models)
            print(f"{tenants:,} tenants with {models} models each, 2 people and 2 keys\n")
            print("| what | measured |\n| --- | --- |")
            for what, measured in rows(tenants, models):
                print(f"| {what} | {measured} |", flush=True)


def rows(tenants: int, models: int) -> Iterator[tuple[str, str]]:
    first, again = in_process("start"), in_process("start")
    yield "start without a snapshot, until all is known", f"{first['known_s']:.2f} s ({first['cpu_s']:.2f} s of CPU)"
    yield "… a file for each version written, in the background", f"{first['described_s']:.1f} s"
    yield "start from a snapshot, until all is known", f"{again['known_s']:.2f} s ({again['cpu_s']:.2f} s of CPU)"
    yield "… of which a snapshot has", f"{again['snapshot_bytes'] / 1e6:.1f} MB"
    yield "memory of the process with all of it, over one without", f"{again['rss_mb']:.0f} MB"
    memory = in_process("memory")
    yield "memory per idle model", f"{memory['model']:,.0f} bytes"
    yield "memory per tenant without models", f"{memory['tenant']:,.0f} bytes"
    lookups = in_process("lookups")
    for what, microseconds in lookups.items():
        yield what, f"{microseconds:.2f} µs"
    idle = in_process("idle")
    yield "following while nothing changes, CPU", f"{idle['cpu_ms_per_s']:.1f} ms per second"
    told = in_process("revocations")
    yield (
        f"a key revoked, until a gateway knows that hears of it from the database only ({REVOCATIONS} times)",
        f"median {told['median_ms']:.0f} ms, longest {told['longest_ms']:.0f} ms",
    )


def in_process(measure: str) -> dict[str, float]:
    """Measure in a process of its own, as a web process would begin."""
    done = subprocess.run([sys.executable, __file__, "--measure", measure], check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


# --- what is measured, each in its own process ---


def begun() -> Any:
    import django

    django.setup()
    from foretell.gateway.lane import Gateway

    gateway = Gateway()
    gateway.begin()
    deadline = time.monotonic() + 120
    while not gateway.is_serving:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return gateway


def start() -> dict[str, float]:
    import django
    import psutil

    django.setup()
    from foretell.gateway.lane import Gateway, catalogue_directory

    process = psutil.Process()
    before, began, cpu = process.memory_info().rss, time.perf_counter(), time.process_time()
    gateway = Gateway()
    gateway.begin()
    while not gateway.is_serving:
        time.sleep(0.01)
    known_s, cpu_s, rss = time.perf_counter() - began, time.process_time() - cpu, process.memory_info().rss
    while gateway._keeper._undescribed or gateway.catalogue.age_s is None:
        time.sleep(0.05)
    described_s = time.perf_counter() - began
    gateway.end()
    size = (catalogue_directory() / "snapshot").stat().st_size
    return {
        "known_s": known_s,
        "cpu_s": cpu_s,
        "rss_mb": (rss - before) / 1e6,
        "described_s": described_s,
        "snapshot_bytes": size,
    }


def memory() -> dict[str, float]:
    """Allocations of what is kept of each tenant, with its models and without."""
    import gc
    import tracemalloc
    from functools import partial

    import django

    django.setup()
    import msgspec
    from django.conf import settings

    from foretell.gateway.catalogue import Known, MemoryCatalogue
    from foretell.gateway.entries import entry_of
    from foretell.gateway.keeping import snapshot_of
    from foretell.gateway.lane import catalogue_directory
    from foretell.gateway.rows import packed, unpacked

    found = [rows for _, rows in snapshot_of(catalogue_directory()) or []]
    bare = [packed(msgspec.structs.replace(unpacked(rows), models=[])) for rows in found]

    def filled(all_rows: list[bytes]) -> MemoryCatalogue:
        catalogue = MemoryCatalogue(base_domain=settings.BASE_DOMAIN)
        for rows in all_rows:
            tenant = unpacked(rows)
            entry = entry_of(tenant)
            # The copy is what a process that read the database keeps.
            catalogue.learn(Known(1, bytes(bytearray(rows)), entry, tuple(tenant.domains)))
            catalogue.publish(entry)
        return catalogue

    def allocated(fill: Callable[[], MemoryCatalogue]) -> int:
        gc.collect()
        tracemalloc.start()
        catalogue = fill()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(catalogue) == len(found)
        return size

    filled(found)  # what is made once is made
    whole, tenants = allocated(partial(filled, found)), allocated(partial(filled, bare))
    models = sum(len(unpacked(rows).models) for rows in found)
    return {"model": (whole - tenants) / models, "tenant": tenants / len(found)}


def lookups() -> dict[str, float]:
    gateway = begun()
    catalogue, models = gateway.catalogue, gateway.models
    tenants = list(catalogue)
    hosts, names = [f"{tenant.name}.localhost" for tenant in tenants], [tenant.name for tenant in tenants]
    version = next(iter(next(iter(tenants[0].models.values())).versions.values()))
    measured = {
        "a tenant by host, spread over all": per_call(catalogue.at_host, hosts),
        "a tenant by name, spread over all": per_call(catalogue.named, names),
        "lend what is not loaded": per_call(lambda tenant: models.lend(tenant, version), tenants),
        "lend and give back what is loaded": lent(gateway),
    }
    gateway.end()
    return measured


def lent(gateway: Any) -> float:
    """Return what lending costs; how a model runs is of no matter to it."""
    from foretell.inference.predicting import LoadedModel

    tenant = next(iter(gateway.catalogue))
    version = next(iter(next(iter(tenant.models.values())).versions.values()))
    model: Any = LoadedModel.__new__(LoadedModel)
    gateway.models._loaded.warm((tenant.id, version.pk, version.seal), 1, lambda: model)

    def once(_: Any) -> None:
        gateway.models.lend(tenant, version)
        gateway.models.give_back(tenant, version)

    measured = per_call(once, [None] * 1_000)
    gateway.models._loaded._entries.clear()
    return measured


def per_call(call: Callable[[Any], Any], arguments: list[Any], *, rounds: int = 50) -> float:
    """Return µs for one call: the median over rounds through all arguments."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        for argument in arguments:
            call(argument)
        taken.append((time.perf_counter() - began) / len(arguments) * 1e6)
    return statistics.median(taken)


def idle() -> dict[str, float]:
    gateway = begun()
    time.sleep(2)
    cpu, began = time.process_time(), time.perf_counter()
    time.sleep(5)
    measured = (time.process_time() - cpu) / (time.perf_counter() - began) * 1e3
    gateway.end()
    return {"cpu_ms_per_s": measured}


def revocations() -> dict[str, float]:
    """Revoke keys in this process, and ask a gateway that hears of it only through the database."""
    gateway = begun()
    from django.utils import timezone

    from foretell.accounts.models import APIKey
    from foretell.core.tenancy import use_tenant

    taken = []
    for tenant in list(gateway.catalogue)[:REVOCATIONS]:
        key = next(iter(tenant.keys))
        with use_tenant(tenant):
            APIKey.objects.filter(key_id=key).update(revoked_at=timezone.now())
        began = time.perf_counter()
        while key in gateway.catalogue.named(tenant.name).keys:
            time.sleep(0.001)
        taken.append((time.perf_counter() - began) * 1e3)
        with use_tenant(tenant):
            APIKey.objects.filter(key_id=key).update(revoked_at=None)
    gateway.end()
    return {"median_ms": statistics.median(taken), "longest_ms": max(taken)}


# --- the tenants ---


def make_tenants(tenants: int, models: int) -> None:
    """Make one tenant as it should be, and the others' tables like its; a thousand migrations would take a quarter of an hour."""
    from foretell.core.tenancy import use_tenant
    from foretell.tenants.models import Tenant
    from foretell.tenants.services import create_tenant

    first: Any = create_tenant(name="tenant-0")
    for number in range(tenants):
        tenant = first if number == 0 else like(first, f"tenant-{number}")
        assert isinstance(tenant, Tenant)
        with use_tenant(tenant):
            fill(tenant, models)


def like(template: Any, name: str) -> Any:
    from django.db import connection, transaction

    from foretell.core.tenancy import use_public
    from foretell.tenants.models import Domain, Tenant

    tenant: Any = Tenant(name=name)
    tenant.auto_create_schema = False
    schema, model = tenant.schema_name, template.schema_name
    with use_public(), transaction.atomic():
        tenant.save()
        Domain.objects.create(tenant=tenant, domain=f"{name}.localhost", is_primary=True)
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA "{schema}"')
            for table, columns in WATCHED.items():
                cursor.execute(f'CREATE TABLE "{schema}".{table} (LIKE "{model}".{table} INCLUDING ALL)')
                cursor.execute(f"SELECT foretell_watch('\"{schema}\".{table}', '{{{columns}}}')")
    return tenant


def fill(tenant: Any, models: int) -> None:
    from foretell.accounts.models import APIKey, User
    from foretell.registry.models import Alias, ModelVersion, RegisteredModel
    from foretell.registry.sealing import seal

    people = User.objects.bulk_create(
        [
            User(username=name, username_key=name, email=f"{name}@a.example", email_key=name, role="owner")
            for name in ("alice", "bob")
        ]
    )
    APIKey.objects.bulk_create(
        [
            APIKey(key_id=f"key{person.username}", secret_digest="0" * 64, user=person, name="k", scopes=["predict"])
            for person in people
        ]
    )
    made = RegisteredModel.objects.bulk_create(
        [RegisteredModel(name=f"model-{number}", created_by=people[0], last_number=1) for number in range(models)]
    )
    versions = [
        ModelVersion(
            model=model, number=1, state="ready", push_digest="0" * 64, sha256="0" * 64, size_bytes=8_000, runtime="onnx",
            signature={"inputs": [{"name": f"input {number}", "dtype": "float"} for number in range(4)]}, examples={"inputs": {}},
            created_by=people[0],
        )
        for model in made
    ]  # fmt: skip
    for version in versions:
        version.seal = seal(version)
    Alias.objects.bulk_create(
        [
            Alias(model=version.model, name="champion", version=version)
            for version in ModelVersion.objects.bulk_create(versions)
        ]
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(globals()[sys.argv[2]]()))
    else:
        main(*(int(argument) for argument in sys.argv[1:])) if len(sys.argv) == 3 else main(TENANTS, MODELS)
