"""Restart the web processes under load, and count what the clients lost. `python benchmarks/restarts.py [--times 20]`.

Two kinds of clients keep their connections: eager ones, which ask for a prediction again at once, and sleepy ones, whose pauses are about
as long as the farewell of an idle connection, so that requests meet closing connections as often as possible. Two kinds of restart:
SIGHUP, one process after another behind the same socket, where nothing may be lost, refused connections included; and SIGTERM followed
by a start, where a connection may be refused while nobody listens, and nothing that was accepted may be lost.
"""

import argparse
import asyncio
import contextlib
import random
import signal
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
from contenders.base import KEPT_ENVIRONMENT, free_port
from contenders.foretell import FORETELL, LIMITS
from goals import Verdict
from http_load import Outcome, load, request
from installation import Installation, installed
from results import keep

TIMES = 20
EAGER, SLEEPY = 16, 200
PAUSE_S = 3.0
LIVEZ = request("/livez", host="localhost")
Restarted = tuple[Outcome, list[float]]  # what the clients saw, and how long each restart took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--quick", action="store_const", const=2, dest="times", help="2 times each, shown only")
    options = parser.parse_args()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup, `foretell web` would ignore it too
    with installed() as installation:
        site = Site(installation)
        with site.stopped_in_the_end():
            hup, term = asyncio.run(rolling(site, options.times)), asyncio.run(stops(site, options.times))
    verdicts = {
        "hup": verdict(hup, options.times, may_refuse=False),
        "term": verdict(term, options.times, may_refuse=True),
    }
    keep("restarts", verdicts=verdicts, is_whole=options.times >= TIMES)


class Site:
    """`foretell web` beside an installation that goes on: on its home, with a port of its own."""

    def __init__(self, installation: Installation) -> None:
        self.home, self.message, self.port = installation.home, installation.message(), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        own = {"FORETELL_HOME": str(self.home), "PORT": str(self.port), "WEB_CONCURRENCY": "2"}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [FORETELL, "web"], env=KEPT_ENVIRONMENT | LIMITS | own, cwd=self.home, stdout=log, stderr=log
            )

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def workers(self) -> set[int]:
        assert self.process is not None
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @contextlib.contextmanager
    def stopped_in_the_end(self) -> Any:
        try:
            yield
        finally:
            if self.process is not None and self.process.poll() is None:
                self.process.terminate()
                self.process.wait(60)

    @property
    def _log(self) -> Path:
        return self.home / "web.log"


# --- the two kinds of restart -------------------------------------------------------------------------------------------


async def rolling(site: Site, times: int) -> Restarted:
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


async def stops(site: Site, times: int) -> Restarted:
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
                site.port, site.message, connections=connections, is_over=done.is_set, outcome=outcome, think_s=think_s
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


def verdict(result: Restarted, times: int, *, may_refuse: bool) -> Verdict:
    outcome, took = result
    bad = {status: count for status, count in outcome.answered.items() if status != 200}
    failed = sum(outcome.failed.values()) + sum(bad.values()) + (0 if may_refuse else outcome.refused)
    refused = f", {outcome.refused:,} connections refused while nobody listened" if may_refuse else ""
    measured = f"{len(took)} restarts of {statistics.median(took):.1f} s: {failed} of {outcome.requests:,} predictions failed{refused}"
    held = f"answers by status {bad or 'none'}, cut off {dict(outcome.failed) or 'none'}, refused {outcome.refused:,}"
    return Verdict(measured, not failed and len(took) == times, held)


if __name__ == "__main__":
    main()
