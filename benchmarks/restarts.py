"""Restart the web processes under load, and count what the clients lost. `python benchmarks/restarts.py [--times 20]`.

Two kinds of clients keep their connections: eager ones, which ask again at once, and sleepy ones, whose pauses are about as long as
the farewell of an idle connection, so that requests meet closing connections as often as possible. Two kinds of restart: SIGHUP,
one process after another behind the same socket, where nothing may be lost, refused connections included; and SIGTERM followed by
a start, where a connection may be refused while nobody listens, and nothing that was accepted may be lost.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from http_load import Outcome, load, request

FORETELL = Path(sys.executable).parent / "foretell"
EAGER, SLEEPY = 16, 200
PAUSE_S = 3.0
LIVEZ = request("/livez", host="localhost")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--only", choices=["rolling", "stops"])
    options = parser.parse_args()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup, `foretell web` would ignore it too
    with tempfile.TemporaryDirectory(prefix="foretell-restarts-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)
        site = Site(Path(directory))
        with database(site):
            if options.only != "stops":
                report("rolling restarts (SIGHUP)", asyncio.run(rolling(site, options.times)))
            if options.only != "rolling":
                report("stops and starts (SIGTERM)", asyncio.run(stops(site, options.times)))


@dataclass
class Site:
    """`foretell web` on a home and a port of its own."""

    home: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}
        return kept | {"FORETELL_HOME": str(self.home), "PORT": str(self.port), "WEB_CONCURRENCY": "2"}

    def start(self) -> None:
        with (self.home / "web.log").open("ab") as log:
            self.process = subprocess.Popen(
                [FORETELL, "web"], env=self.environment, cwd=self.home, stdout=log, stderr=log
            )

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def workers(self) -> set[int]:
        assert self.process is not None
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def log(self) -> str:
        return (self.home / "web.log").read_text(errors="replace")


@contextlib.contextmanager
def database(site: Site) -> Iterator[None]:
    """Have a migrated database; `foretell up` sets it up and keeps it, on a port that nobody uses."""
    site.port = free_port()
    environment = site.environment | {"PORT": str(free_port()), "WEB_CONCURRENCY": "1", "FORETELL_DEMO": "false"}
    with (site.home / "up.log").open("ab") as log:
        keeper = subprocess.Popen([FORETELL, "up"], env=environment, cwd=site.home, stdout=log, stderr=log)
    try:
        wait_until(lambda: "Foretell serves at" in (site.home / "up.log").read_text(errors="replace"), within_s=90)
        yield
    finally:
        keeper.terminate()
        keeper.wait(60)


# --- the two kinds of restart -------------------------------------------------------------------------------------------


async def rolling(site: Site, times: int) -> tuple[Outcome, list[float]]:
    site.start()
    await answering(site)
    took: list[float] = []

    async def restart() -> None:
        for _ in range(times):
            before, began = site.workers(), time.monotonic()
            site.signal(signal.SIGHUP)
            while site.workers() & before or len(site.workers()) != len(before):  # noqa: ASYNC110  nobody tells us
                await asyncio.sleep(0.05)
            took.append(time.monotonic() - began)

    outcome = await under_load(site, restart)
    site.signal(signal.SIGTERM)
    assert site.process is not None
    await asyncio.to_thread(site.process.wait, 60)
    return outcome, took


async def stops(site: Site, times: int) -> tuple[Outcome, list[float]]:
    site.start()
    await answering(site)
    took: list[float] = []

    async def restart() -> None:
        for number in range(times):
            await asyncio.sleep(1.0)
            began = time.monotonic()
            site.signal(signal.SIGTERM)
            assert site.process is not None
            code = await asyncio.to_thread(site.process.wait, 60)
            took.append(time.monotonic() - began)
            assert code == 0, site.log()
            if number < times - 1:
                site.start()
                await answering(site)

    return await under_load(site, restart), took


async def under_load(site: Site, restart: Callable[[], Awaitable[None]]) -> Outcome:
    """Run clients until the restarts are done."""
    outcome, done = Outcome(), asyncio.Event()
    kinds: list[tuple[int, Callable[[], float]]] = [
        (EAGER, lambda: 0.005),
        (SLEEPY, lambda: random.expovariate(1 / PAUSE_S)),
    ]
    async with asyncio.TaskGroup() as group:
        for connections, think_s in kinds:
            clients = load(
                site.port, LIVEZ, connections=connections, is_over=done.is_set, outcome=outcome, think_s=think_s
            )
            group.create_task(clients)
        try:
            await restart()
        finally:
            done.set()
    return outcome


async def answering(site: Site) -> None:
    """Wait until it answers."""
    for _ in range(1_200):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(LIVEZ)
            head = await reader.readuntil(b"\r\n\r\n")
            writer.close()
            if b" 200 " in head:
                return
        await asyncio.sleep(0.05)
    raise SystemExit(f"nobody answers\n{site.log()[-4000:]}")


def report(what: str, result: tuple[Outcome, list[float]]) -> None:
    outcome, took = result
    bad = {status: count for status, count in outcome.answered.items() if status != 200}
    print(f"{what}: {len(took)}, {statistics.median(took):.1f} s each (median)")
    print(f"  answered {outcome.answered[200]:,}, failed {sum(outcome.failed.values())} {dict(outcome.failed) or ''}, "
          f"other statuses {bad or 'none'}, connections refused {outcome.refused:,}")  # fmt: skip


def wait_until(is_so: Callable[[], bool], *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
