"""`python -m foretell.config.migrating_workers`: migrates the schemas it is told, a line each, and says a line of each how it went.

Processes, not threads: most of a migration is Python. One that dies takes one schema with it, which is reported; another takes its place.
"""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the workers themselves set Django up first
    from foretell.tenants.models import Tenant

Result = tuple["Tenant", str | None]
DIED = "the process that migrated it ended in the middle; look at its output, and run `foretell migrate` again"


def migrated_by_workers(waiting: "list[Tenant]", *, jobs: int) -> Iterator[Result]:
    """Yield each tenant when its schema is done, with None, or with why it failed."""
    tasks: queue.SimpleQueue[Tenant] = queue.SimpleQueue()
    for tenant in waiting:
        tasks.put(tenant)
    results: queue.SimpleQueue[Result] = queue.SimpleQueue()
    threads = [threading.Thread(target=_drive, args=(tasks, results), daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for _ in waiting:
        yield results.get()
    for thread in threads:
        thread.join()


def _drive(tasks: "queue.SimpleQueue[Tenant]", results: "queue.SimpleQueue[Result]") -> None:
    """Hand schemas to a process, one after the other, until none is left."""
    process: subprocess.Popen[str] | None = None
    while True:
        try:
            tenant = tasks.get_nowait()
        except queue.Empty:
            break
        process = process if process is not None and process.poll() is None else _started()
        results.put((tenant, _asked(process, tenant.schema_name)))
    if process is not None:
        process.communicate()


def _started() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "foretell.config.migrating_workers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )  # fmt: skip


def _asked(process: "subprocess.Popen[str]", schema_name: str) -> str | None:
    try:
        print(schema_name, file=process.stdin, flush=True)
        line = process.stdout.readline() if process.stdout else ""
    except OSError:
        line = ""
    if not line:
        process.communicate()  # closes what leads to it
        return DIED
    answer: str | None = json.loads(line)["error"]
    return answer


def main() -> None:
    import django

    django.setup()
    from foretell.config.migrating import described, migrate_tenant

    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a migration prints is no answer
    for line in sys.stdin:
        try:
            migrate_tenant(line.strip())
        except Exception as err:  # noqa: BLE001  told to who asked
            error: str | None = described(err)
        else:
            error = None
        print(json.dumps({"error": error}), file=answers, flush=True)


if __name__ == "__main__":
    main()
