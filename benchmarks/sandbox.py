"""What a locked child costs: ``python benchmarks/sandbox.py``.

Prints the start of the parent, its memory, a job's round trip, a call of an open server, and what locking takes alone.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foretell.inference.sandbox import Limits, Sandbox, spawn_sandbox
from foretell.inference.sandbox.landlock import readable_paths
from foretell.inference.sandbox.lockdown import lock_down
from foretell.inference.sandbox.privileges import throwaway_uids

JOBS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"echo": lambda payload: payload}
SERVERS: dict[str, Callable[[dict[str, Any]], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "echo": lambda opening: lambda payload: payload
}


def percentiles(times_s: list[float], unit: float) -> str:
    ordered = sorted(times_s)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return f"p50 {middle * unit:.1f}  p95 {late * unit:.1f}"


def timed(repeat: int, call: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times


def lock_alone() -> float:
    """Return the seconds that the locks take, measured by the child and told through a pipe."""
    uids = throwaway_uids()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        began = time.perf_counter()
        lock_down(Limits(), uid=uids[0] if uids else None)
        os.write(writer, str(time.perf_counter() - began).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        took_s = float(answer.read())
    os.waitpid(pid, 0)
    return took_s


def memory(pid: int) -> str:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return ", ".join(f"{name[:-1]} {int(size) // 1024} MB" for name, size, _ in map(str.split, lines[1:3]))


def measure(sandbox: Sandbox) -> None:
    row = {"row": [5.1, 3.5, 1.4, 0.2]}
    print("parent           ", memory(sandbox.parent_pid()))
    print("job, ms          ", percentiles(timed(100, lambda: sandbox.run("echo", row)), 1e3))
    with sandbox.open("echo", {}) as channel:
        print("call, us         ", percentiles(timed(2_000, lambda: channel.call(row, timeout_s=5)), 1e6))


def main() -> None:
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    readable_paths()
    print("locks alone, ms  ", percentiles([lock_alone() for _ in range(50)], 1e3))
    began = time.perf_counter()
    with spawn_sandbox(jobs="sandbox") as sandbox:
        print(f"start of the parent, s  {time.perf_counter() - began:.1f}")
        measure(sandbox)


if __name__ == "__main__":
    sys.exit(main())
