"""Measure the promises of the foundation in one run, and write them beside their goals to benchmarks/results.md."""

import argparse
import json
import os
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
from contenders.foretell import client_environment, demo, up
from installation import FORETELL
from results import keep
from spending import pss_mb

ROOT = Path(__file__).resolve().parent.parent
IRIS = {"sepal length (cm)": 7.9, "sepal width (cm)": 2.9, "petal length (cm)": 6.3, "petal width (cm)": 1.8}


@dataclass(frozen=True)
class Row:
    what: str
    goal: str
    measured: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the base install, shown only")
    options = parser.parse_args()
    rows = [*(() if options.quick else measure_base_install()), *measure_installation()]
    table = ("", ("what", "goal", "measured"), [[row.what, row.goal, row.measured] for row in rows])
    keep("foundation", verdicts={}, tables=[table], is_whole=not options.quick)


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
    with tempfile.TemporaryDirectory(prefix="foretell-bench-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)
        home = Path(directory) / "home"
        home.mkdir(mode=0o711)
        with up(FORETELL, home) as running:
            what = "first `foretell up` to a prediction (examples trained and pushed)"
            yield Row(what, "≤ 60 s", f"{running.cold_start_s:.1f} s")
        with up(FORETELL, home) as running:
            yield Row("second `foretell up` to a prediction", "≤ 6 s", f"{running.cold_start_s:.1f} s")
            yield from measure_predictions(home)
            yield from measure_pushes(home)
            memory = f"{pss_mb(running.processes()):.0f} MB"
            yield Row("memory of everything, two web processes, three examples served (PSS)", "< 900 MB", memory)


def client(home: Path) -> httpx.Client:
    found = demo(home)
    return httpx.Client(base_url=found["url"], headers={"Authorization": f"Bearer {found['api_key']}"}, timeout=30)


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
    environment = {**os.environ, **client_environment(home)}
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


if __name__ == "__main__":
    main()
