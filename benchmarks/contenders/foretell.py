"""Foretell with everything on: `foretell up`, two web processes, a key, limits that are taken but never reached, the log, PostgreSQL."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Container, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from http_load import request

from contenders.artifacts import case_of, instances, iris
from contenders.base import CannotRun, Contender, Running, answers, ask, free_port, process, wait_for_answer
from contenders.raw import read
from foretell.segments.lag import drain_lag

FORETELL = Path(sys.executable).parent / "foretell"
PUSH = Path(__file__).resolve().parent / "apps" / "push_wide.py"
FLOAT32 = 1e-6
LIMITS = {f"FORETELL_LIMIT_{kind}": "100000000/min" for kind in ("KEY", "USER", "TENANT")}


@contextlib.contextmanager
def start(contender: Contender, place: Path) -> Iterator[Running]:
    """Set up and push once; then start again, so that the cold start is that of an installation."""
    home = place / "home"
    home.mkdir()
    home.chmod(0o711)
    with up(contender, home) as running:
        push_wide(home)
        wait_until(lambda: answers(contender, running, case_of("thousand")))
        check_forest(running)
    with up(contender, home) as running:
        wait_until(lambda: answers(contender, running, case_of("thousand")))
        yield running


@contextlib.contextmanager
def up(contender: Contender, home: Path, **environment: str) -> Iterator[Running]:
    """Run `foretell up` on a home until it predicts; whoever is stopped by SIGTERM meanwhile ends it too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    port, log, began = free_port(), home.parent / "foretell.log", time.monotonic()
    settings = {"FORETELL_HOME": str(home), "PORT": str(port), "WEB_CONCURRENCY": "2"} | LIMITS | environment
    with process([FORETELL, "up"], settings, log, cwd=home) as root:
        running = Running(port, [root], settled=partial(is_drained, home), can_stand_still=False)
        wait_for_answer(lambda: is_serving(contender, running, home), root, log)
        running.cold_start_s = time.monotonic() - began
        if "DATABASE_URL" not in environment:
            running.roots.append(postmaster(home))
        running.part_of = partial(part_of, [each.pid for each in running.roots[1:]])
        yield running


def part_of(databases: Container[int], process: psutil.Process) -> str:
    """Tell the web processes, the worker and the database from the rest, which has little to do with a prediction."""
    if process.pid in databases or process.ppid() in databases:
        return "PostgreSQL"
    command = " ".join(process.cmdline())
    return next((kind for kind in ("web", "worker") if f"foretell.cli {kind}" in command), "others")


def is_serving(contender: Contender, running: Running, home: Path) -> bool:
    running.headers = {"Authorization": f"Bearer {demo(home)['api_key']}"}
    return answers(contender, running, case_of("one"))


def demo(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "demo.json").read_text())
    return found


def client_environment(home: Path, port: int | None = None) -> dict[str, str]:
    found = demo(home)
    url = f"http://localhost:{port}" if port else found["url"]
    return {"FORETELL_URL": url, "FORETELL_API_KEY": found["api_key"], "FORETELL_TENANT": found["tenant"]}


def check_forest(running: Running) -> None:
    """Make sure that what it serves is the forest that the others serve, by all of its probabilities."""
    forest, sample = iris()
    message = request(
        "/api/v1/models/iris/predict/", host="localhost", headers={"Content-Type": "application/json", **running.headers},
        body=json.dumps({"instances": sample.to_numpy().tolist()}).encode(),
    )  # fmt: skip
    status, body = ask(running.port, message)
    rows = json.loads(body)["probabilities"] if status == 200 else []
    served = [[row[name] for name in forest.classes_] for row in rows]
    if len(served) != len(sample) or abs(forest.predict_proba(sample) - served).max() > FLOAT32:
        raise CannotRun(f"the demo's iris is not the forest of examples/iris; it answers {status}: {body[:300]!r}")


def push_wide(home: Path) -> None:
    subprocess.run([sys.executable, PUSH], env=client_environment(home), check=True, capture_output=True)


def postmaster(home: Path) -> psutil.Process:
    """Return the database, which is a daemon and no child of ours."""
    return psutil.Process(int((home / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0]))


def is_drained(home: Path) -> bool:
    """Is every prediction in the database?"""
    return drain_lag(home / "predictions").n_bytes == 0


def wait_until(is_so: Any, *, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, LookupError):
            if is_so():
                return
        time.sleep(0.05)
    raise TimeoutError(f"not within {within_s:.0f} s")


CONTENDERS = (
    Contender(
        name="foretell",
        title="Foretell, everything on",
        start=start,
        path=lambda case: f"/api/v1/models/{case.model}/predict/",
        body=instances,
        read=read,
    ),
)
