"""Which ASGI server: ours (uvicorn with `foretell.webserver`), uvicorn as it comes, granian. `python benchmarks/servers.py [--rounds 5]`.

The same applications, one process each, interleaved: a constant answer to a small POST; and a prediction, on the home of an
installation that runs meanwhile. CPU is that of the whole process tree, per request. granian is installed into a directory that is
deleted afterwards.
"""

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvloop
from contenders.artifacts import case_of, instances
from contenders.base import KEPT_ENVIRONMENT, free_port
from contenders.foretell import LIMITS
from http_load import after, load, request
from installation import installed
from spending import cpu

CONNECTIONS, SECONDS = 32, 2.0
LANE = "foretell.config.asgi:application"
CONSTANT = "constant:app"
CONSTANT_APP = """
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for part in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{part}.complete"})
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"{}"})
"""
OURS = """
import os, socket, sys
if sys.argv[1].startswith("foretell"):
    os.environ["DJANGO_SETTINGS_MODULE"] = "foretell.config.settings"
from foretell.webserver.bounds import Bounds
from foretell.webserver.server import serve
serve(sys.argv[1], socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=1024), bounds=Bounds(), on_ready=print)
"""


@dataclass(frozen=True)
class Run:
    cpu_us: float
    per_s: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_const", const=1, dest="rounds", help="one round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foretell-servers-") as directory, installed() as installation:
        place = Path(directory)
        (place / "constant.py").write_text(CONSTANT_APP)
        install_granian(place / "granian")
        measure("a constant answer", CONSTANT, CONSTANT_MESSAGE, place, {}, options.rounds)
        own = LIMITS | {"FORETELL_HOME": str(installation.home)}
        measure("a prediction", LANE, installation.message(), place, own, options.rounds)


CONSTANT_MESSAGE = request(
    "/api/v1/models/iris/predict/", host="localhost", body=instances(case_of("one")),
    headers={"Authorization": "Bearer " + "x" * 60, "Content-Type": "application/json", "Accept": "*/*"},
)  # fmt: skip


def measure(
    what: str, app: str, message: bytes, place: Path, environment: Mapping[str, str], rounds: int
) -> None:  # fmt: skip
    """Run all servers at once, load one after the other, again and again, and print the medians."""
    runs: dict[str, list[Run]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        running = {}
        for name in ("foretell", "uvicorn", "granian"):
            port = free_port()
            running[name] = (port, stack.enter_context(serving(name, app, port, place, environment)))
        for _ in range(rounds):
            for name, (port, process) in running.items():
                runs[name].append(one_run(port, process, message))
    print(f"{what}, {CONNECTIONS} connections, 1 process")
    for name, measured in runs.items():
        cpu, per_s, p50, p99 = (
            statistics.median(getattr(run, field) for run in measured)
            for field in ("cpu_us", "per_s", "p50_ms", "p99_ms")
        )
        print(f"  {name:<9} {cpu:6.1f} µs CPU  {per_s:8,.0f}/s  p50 {p50:.2f} ms  p99 {p99:.2f} ms")


def one_run(port: int, process: psutil.Process, message: bytes) -> Run:
    before = cpu_s(process)
    outcome = uvloop.run(load(port, message, connections=CONNECTIONS, is_over=after(SECONDS)))
    spent = cpu_s(process) - before
    assert set(outcome.answered) == {200}, (outcome.answered, outcome.failed)
    assert not outcome.failed, outcome.failed
    latencies = statistics.quantiles(outcome.latencies_s, n=100)
    return Run(
        spent / outcome.requests * 1e6, outcome.requests / outcome.seconds, latencies[49] * 1e3, latencies[98] * 1e3
    )


def cpu_s(process: psutil.Process) -> float:
    return sum(cpu([process, *process.children(recursive=True)]))


# --- the servers --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(name: str, app: str, port: int, place: Path, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    paths = os.pathsep.join([str(place), str(place / "granian")])
    own = {"PYTHONPATH": paths, "DJANGO_SETTINGS_MODULE": "foretell.config.settings"}
    with (place / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command(name, app, port), env={**KEPT_ENVIRONMENT, **own, **environment}, stdout=log, stderr=log
        )
    try:
        wait_for(port, process, place / f"{name}.log")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def command(name: str, app: str, port: int) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(port)]
    commands: dict[str, list[Any]] = {
        "foretell": ["-c", OURS, app, str(port)],
        "uvicorn": ["-m", "uvicorn", app, *address, "--no-access-log", "--log-level", "warning", "--loop", "uvloop",
                    "--http", "httptools", "--interface", "asgi3", "--lifespan", "on", "--no-proxy-headers", "--no-server-header"],
        "granian": ["-m", "granian", app, *address, "--interface", "asgi", "--workers", "1", "--loop", "uvloop",
                    "--no-access-log"],
    }  # fmt: skip
    return [sys.executable, *commands[name]]


def install_granian(target: Path) -> None:
    tools = [["uv", "pip", "install"], [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]]
    for tool in tools:
        with contextlib.suppress(FileNotFoundError, subprocess.CalledProcessError):
            subprocess.run([*tool, "--quiet", "--target", str(target), "granian"], check=True)
            return
    sys.exit("granian cannot be installed here")


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    sys.exit(f"it does not answer:\n{log.read_text(errors='replace')[-4000:]}")


if __name__ == "__main__":
    main()
