"""One measurement: load on one contender, and what all its processes did for it."""

import contextlib
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import psutil
from contenders.artifacts import Case
from contenders.base import CannotRun, Contender, Running, ask
from spending import Split, median_split, per_request, spent, total

GENERATOR = Path(__file__).resolve().parent / "load_generator.py"
SETTLE_S = 15.0
CALM_S, CALM_CORES, CALM_WITHIN_S = 0.1, 0.4, 10.0
VARYING = re.compile(rb'"id": ?"([^"]+)"')


@dataclass(frozen=True)
class Shape:
    """What is asked, over how many connections, and how: as fast as answers come, or so many a second."""

    case: str
    connections: int
    seconds: float
    rate: int | None = None

    @property
    def name(self) -> str:
        return f"{self.case}, {self.rate}/s" if self.rate else f"{self.case}, {self.connections}"


@dataclass(frozen=True)
class Measurement:
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    errors: float
    unanswered: float
    generator_busy: float
    split_us: Split  # of cpu_us, by part


def measure(contender: Contender, running: Running, case: Case, shape: Shape) -> Measurement:
    calm(running)
    message = contender.message(case, running)
    needle = constant_part(contender, case, running)
    shape = replace(shape, seconds=max(shape.seconds, contender.least_seconds))
    before = spent(running)
    found = generate(running.port, [message], [needle], shape)
    settle(running)
    right = found["statuses"].get("200", 0)  # those that came a little late had their cost too
    split = per_request(before, spent(running), right)
    return Measurement(
        per_s=found["right"] / found["seconds"], p50_ms=found["p50_ms"], p99_ms=found["p99_ms"],
        cpu_us=total(split), errors=sum(found["statuses"].values()) - right,
        unanswered=found["unanswered"], generator_busy=found["generator_busy"], split_us=split,
    )  # fmt: skip


def constant_part(contender: Contender, case: Case, running: Running) -> bytes:
    """Check one answer as a reader would; return of it what every other answer must have too."""
    status, body = ask(running.port, contender.message(case, running))
    if status != 200 or not contender.check(case, body):
        raise CannotRun(f"answers {status}: {body[:300]!r}")
    return max(VARYING.sub(b"\0", body).split(b"\0"), key=len)


def generate(port: int, messages: list[bytes], needles: list[bytes], shape: Shape) -> dict[str, Any]:
    with loading(port, messages, needles, shape) as load:
        return finished(load, within_s=shape.seconds + 60)


@contextlib.contextmanager
def loading(port: int, messages: list[bytes], needles: list[bytes], shape: Shape) -> Iterator[subprocess.Popen[str]]:
    """Run the load beside what the caller does; `finished` gives its result."""
    job = {
        "port": port, "messages": [each.decode("latin-1") for each in messages],
        "needles": [each.decode("latin-1") for each in needles],
        "connections": shape.connections, "seconds": shape.seconds, "rate": shape.rate,
    }  # fmt: skip
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, GENERATOR], **pipes, text=True) as load:  # type: ignore[call-overload]
        try:
            assert load.stdin is not None
            load.stdin.write(json.dumps(job))
            load.stdin.close()
            load.stdin = None
            yield load
        finally:
            load.kill()


def finished(load: subprocess.Popen[str], *, within_s: float, at_once: bool = False) -> dict[str, Any]:
    """Return what came of a load, when its time is over; or, `at_once`, end it now."""
    if at_once:
        load.terminate()
    output, errors = load.communicate(timeout=within_s)
    if load.returncode:
        raise CannotRun(f"the load ended with {errors[-400:]}")
    found: dict[str, Any] = json.loads(output)
    return found


def calm(running: Running) -> None:
    """Wait until a server has done with what an earlier load left to it: requests whose callers went away."""
    deadline = time.monotonic() + CALM_WITHIN_S
    while time.monotonic() < deadline:
        before = total(spent(running))
        time.sleep(CALM_S)
        if total(spent(running)) - before < CALM_CORES * CALM_S:
            return


def settle(running: Running) -> None:
    """Wait for what the requests left to do, such as rows on their way to the database: it is part of the cost."""
    deadline = time.monotonic() + SETTLE_S
    while not running.settled() and time.monotonic() < deadline:
        time.sleep(0.05)


@contextlib.contextmanager
def alone(running: Running, others: Iterable[Running]) -> Iterator[None]:
    """Let nobody else run meanwhile: some servers poll when they have nothing to do."""
    stopped = [each for other in others if other is not running and other.can_stand_still for each in other.processes()]
    for each in stopped:
        with contextlib.suppress(psutil.Error):
            each.suspend()
    try:
        yield
    finally:
        for each in stopped:
            with contextlib.suppress(psutil.Error):
                each.resume()


def median(measurements: list[Measurement]) -> dict[str, Any]:
    numbers = [each.name for each in fields(Measurement) if each.name != "split_us"]
    found: dict[str, Any] = {name: statistics.median(getattr(each, name) for each in measurements) for name in numbers}
    return found | {"split_us": median_split([each.split_us for each in measurements])}
