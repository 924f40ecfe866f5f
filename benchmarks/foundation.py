"""Measure the promises of the foundation in one run, and write them beside their goals to benchmarks/results.md."""

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from results import keep

ROOT = Path(__file__).resolve().parent.parent
FORETELL = Path(sys.executable).parent / "foretell"
IRIS = {"sepal length (cm)": 7.9, "sepal width (cm)": 2.9, "petal length (cm)": 6.3, "petal width (cm)": 1.8}
START_DEADLINE_S = 180.0


@dataclass(frozen=True)
class Row:
    what: str
    goal: str
    measured: str


def main() -> None:
    rows = [*measure_base_install(), *measure_installation()]
    keep("foundation", [[row.what, row.goal, row.measured] for row in rows])
    for row in rows:
        print(f"| {row.what} | {row.goal} | {row.measured} |")


# --- the light base -----------------------------------------------------------------------------------------------------


def measure_base_install() -> Iterator[Row]:
    """Install the base into an environment of its own; weigh it and time its import."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        venv.create(home / "venv", with_pip=True)
        python = home / "venv" / "bin" / "python"
        before = size_of(home)
        run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)])
        yield Row("`pip install .` (base)", "< 30 MB", f"{(size_of(home) - before) / 1e6:.1f} MB")
        bare = median_of(lambda: timed(lambda: run([python, "-c", "pass"])), times=9)
        full = median_of(lambda: timed(lambda: run([python, "-c", "import foretell"])), times=9)
        client = median_of(lambda: timed(lambda: run([python, "-c", "import foretell; foretell.Client"])), times=9)
        yield Row("`import foretell`, over a bare interpreter", "< 0.2 s", f"{full - bare:.3f} s")
        yield Row("… and touching `foretell.Client`", "", f"{client - bare:.3f} s")


# --- a whole installation -----------------------------------------------------------------------------------------------


def measure_installation() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="foretell-bench-") as directory:
        home, port = Path(directory), free_port()
        with running(home, port) as (seconds, _):
            yield Row("first `foretell up` to a prediction (examples trained and pushed)", "≤ 60 s", f"{seconds:.1f} s")
        with running(home, port) as (seconds, supervisor):
            yield Row("second `foretell up` to a prediction", "≤ 6 s", f"{seconds:.1f} s")
            yield from measure_predictions(home)
            yield from measure_pushes(home)
            yield Row(
                "memory of everything, three examples served (PSS)",
                "< 900 MB",
                f"{pss_of(home, supervisor) / 1e6:.0f} MB",
            )


@contextlib.contextmanager
def running(home: Path, port: int) -> Iterator[tuple[float, int]]:
    """Run `foretell up`; yield the seconds until iris answered, and the supervisor's process id."""
    environment = {**os.environ, "FORETELL_HOME": str(home), "PORT": str(port)}
    started = time.monotonic()
    with (home / "up.log").open("ab") as log:
        process = subprocess.Popen([FORETELL, "up"], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_for_prediction(home, process, started)
        yield time.monotonic() - started, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def wait_for_prediction(home: Path, process: subprocess.Popen[bytes], started: float) -> None:
    while time.monotonic() - started < START_DEADLINE_S:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, KeyError, json.JSONDecodeError, httpx.HTTPError), client(home) as http:
            if http.post("api/v1/models/iris/predict/", json=IRIS).json()["prediction"] == "virginica":
                return
        time.sleep(0.05)
    sys.exit(f"foretell up did not answer a prediction:\n{(home / 'up.log').read_text()[-4000:]}")


def client(home: Path) -> httpx.Client:
    demo = json.loads((home / "demo.json").read_text())
    return httpx.Client(base_url=demo["url"], headers={"Authorization": f"Bearer {demo['api_key']}"}, timeout=30)


def measure_predictions(home: Path) -> Iterator[Row]:
    with client(home) as http:

        def one_row() -> None:
            answer = http.post("api/v1/models/iris/predict/", json=IRIS)
            assert answer.json()["prediction"] == "virginica", answer.text

        many = {"instances": [IRIS] * 1_000}

        def thousand_rows() -> None:
            answer = http.post("api/v1/models/iris/predict/", json=many)
            assert len(answer.json()["predictions"]) == 1_000, answer.text

        yield Row(
            "one row over REST, one connection (p50)",
            "",
            f"{median_of(lambda: timed(one_row), times=300) * 1e3:.1f} ms",
        )
        yield Row(
            "1,000 rows over REST, one connection (p50)",
            "",
            f"{median_of(lambda: timed(thousand_rows), times=20) * 1e3:.1f} ms",
        )


def measure_pushes(home: Path) -> Iterator[Row]:
    """Push small models through the public client, and time them until they are ready."""
    script = ROOT / "benchmarks" / "push_small_model.py"
    demo = json.loads((home / "demo.json").read_text())
    environment = {
        **os.environ,
        "FORETELL_URL": demo["url"],
        "FORETELL_API_KEY": demo["api_key"],
        "FORETELL_TENANT": demo["tenant"],
    }
    lines = subprocess.run([sys.executable, script], env=environment, check=True, capture_output=True, text=True).stdout
    measured: dict[str, Any] = json.loads(lines)
    yield Row(
        "push of a small model until ready (converted by its author, median of 5)",
        "< 3 s",
        f"{measured['converted_s']:.2f} s",
    )
    yield Row(
        "push of a raw `.joblib` until ready (converted in the server's sandbox, median of 5)",
        "< 3 s",
        f"{measured['raw_s']:.2f} s",
    )
    yield Row("one row over REST, python runtime (p50)", "", f"{measured['python_runtime_ms']:.1f} ms")


# --- measuring ----------------------------------------------------------------------------------------------------------


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def median_of(measure: Callable[[], float], *, times: int) -> float:
    return statistics.median(measure() for _ in range(times))


def run(command: list[Any]) -> None:
    subprocess.run(command, check=True, cwd="/", env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})


def size_of(directory: Path) -> int:
    """Bytes of the installed files, without the bytecode that Python makes of them."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file() and path.suffix != ".pyc")


def pss_of(home: Path, supervisor: int) -> int:
    """Proportional memory (what is shared counts once) of the supervisor, all below it, and the database of the home, which is a daemon."""
    parent = psutil.Process(supervisor)
    database = psutil.Process(int((home / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0]))
    roots = [parent, database]
    return sum(process.memory_full_info().pss for root in roots for process in [root, *root.children(recursive=True)])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
