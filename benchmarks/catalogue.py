"""What the catalogue in memory costs: `python benchmarks/catalogue.py [--tenants 1000] [--models 10]`.

Makes the tenants in an installation of its own, through the same services as any tenant, which takes most of the time; stops its web
processes; and then measures in processes that read the database as a web process would. Prints a table in Markdown.
"""

import argparse
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

REVOCATIONS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=25.0, help="for making the tenants")
    parser.add_argument("--quick", action="store_const", const=12, dest="tenants", help="a dozen tenants")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foretell-catalogue-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)
        home = Path(directory) / "home"
        home.mkdir(mode=0o711)
        made = make(home, options)
        os.environ |= environment_of(home)
        from foretell.embedded.database import running_database

        with running_database():
            print(f"{made:,} tenants with {options.models} models each\n")
            print("| what | measured |\n| --- | --- |")
            for what, measured in rows(home):
                print(f"| {what} | {measured} |", flush=True)


def make(home: Path, options: argparse.Namespace) -> int:
    """Make the tenants, and leave nothing of what web processes kept of them; return how many there are."""
    import shutil

    from contenders.foretell import up
    from installation import FORETELL
    from tenant_making import make_tenants

    with up(FORETELL, home):
        made = make_tenants(home, options.tenants, options.models, within_s=options.minutes * 60)
    os.environ |= environment_of(home)
    import django

    django.setup()
    from foretell.gateway.lane import catalogue_directory

    shutil.rmtree(catalogue_directory(), ignore_errors=True)
    return len(made)


def environment_of(home: Path) -> dict[str, str]:
    own = {"FORETELL_HOME": str(home), "DJANGO_SETTINGS_MODULE": "foretell.config.settings", "LOG_LEVEL": "ERROR"}
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | own


def rows(home: Path) -> Iterator[tuple[str, str]]:
    first, again = in_process("start", home), in_process("start", home)
    yield "start without a snapshot, until all is known", f"{first['known_s']:.2f} s ({first['cpu_s']:.2f} s of CPU)"
    yield "… a file for each version written, in the background", f"{first['described_s']:.1f} s"
    yield "start from a snapshot, until all is known", f"{again['known_s']:.2f} s ({again['cpu_s']:.2f} s of CPU)"
    yield "… of which a snapshot has", f"{again['snapshot_bytes'] / 1e6:.1f} MB"
    yield "memory of the process with all of it, over one without", f"{again['rss_mb']:.0f} MB"
    memory = in_process("memory", home)
    yield "memory per idle model", f"{memory['model']:,.0f} bytes"
    yield "memory per tenant without models", f"{memory['tenant']:,.0f} bytes"
    lookups = in_process("lookups", home)
    for what, microseconds in lookups.items():
        yield what, f"{microseconds:.2f} µs"
    idle = in_process("idle", home)
    yield "following while nothing changes, CPU", f"{idle['cpu_ms_per_s']:.1f} ms per second"
    told = in_process("revocations", home)
    yield (
        f"a key revoked, until a gateway knows that hears of it from the database only ({REVOCATIONS} times)",
        f"median {told['median_ms']:.0f} ms, longest {told['longest_ms']:.0f} ms",
    )


def in_process(measure: str, home: Path) -> dict[str, float]:
    """Measure in a process of its own, as a web process would begin."""
    command = [sys.executable, __file__, "--measure", measure]
    done = subprocess.run(command, env=environment_of(home), stdout=subprocess.PIPE, check=True, text=True)
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

    from foretell.gateway.catalogue import MemoryCatalogue, known_of
    from foretell.gateway.keeping import snapshot_of
    from foretell.gateway.lane import catalogue_directory
    from foretell.gateway.rows import packed, unpacked

    found = [rows for _, rows in snapshot_of(catalogue_directory()) or []]
    bare = [packed(msgspec.structs.replace(unpacked(rows), models=[])) for rows in found]

    def filled(all_rows: list[bytes]) -> MemoryCatalogue:
        catalogue = MemoryCatalogue(base_domain=settings.BASE_DOMAIN)
        for rows in all_rows:
            # The copy is what a process that read the database keeps.
            known = known_of(unpacked(rows), number=1, packed=bytes(bytearray(rows)))
            catalogue.learn(known)
            catalogue.publish(known.wanted)
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
    return {"model": (whole - tenants) / max(1, models), "tenant": tenants / max(1, len(found)), "tenants": len(found)}


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


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(globals()[sys.argv[2]]()))
    else:
        main()
