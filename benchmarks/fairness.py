"""What a tenant that sends ten times its limit costs another: `python benchmarks/fairness.py [--rounds 3] [--seconds 1.5]`.

Tenant B alone, beside tenant A at its limit, and beside A at ten times its limit, in turns. B asks at a fixed rate (latencies) and as
fast as answers come (throughput). A's load generator shares the machine with all of them, which counts against B here.
"""

import argparse
import json
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contenders.artifacts import instances, iris
from contenders.base import KEPT_ENVIRONMENT
from contenders.foretell import FORETELL as PROGRAM
from contenders.foretell import LIMITS
from http_load import request
from installation import JSON, Installation, installed
from measuring import Shape, finished, generate, loading
from results import keep

import foretell

LIMIT, ROUNDS = 200, 3
SITUATIONS = {"alone": 0.0, "beside A at its limit": 0.9, "beside A at ten times its limit": 10.0}
Found = dict[str, dict[str, list[float]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rate", type=int, default=300, help="B's requests a second where latencies are measured")
    options = parser.parse_args()
    with installed() as installation:
        message = another_tenant(installation)
        command_line(installation, "tenant", "limits", "demo", "--tenant", f"{LIMIT}/s")
        found = measure(installation, message, options)
    rows = [row(what, unit, found, name, options.rate) for what, unit, name in WHAT]
    for each in rows:
        print("| " + " | ".join(each) + " |")
    if options.rounds >= ROUNDS:  # fewer are only shown
        keep("fairness", rows)


WHAT = (("throughput", "/s", "per_s"), ("p50", " ms", "p50_ms"), ("p99", " ms", "p99_ms"))


def another_tenant(installation: Installation) -> bytes:
    """Make tenant B with the same model; return its request."""
    made = json.loads(command_line(installation, "tenant", "create", "other", "--json"))
    key, url = made["api_key"], f"http://localhost:{installation.port}"
    forest, sample = iris()
    foretell.push(forest, "iris", sample=sample, url=url, api_key=key, tenant="other", progress=False)
    headers = {"Authorization": f"Bearer {key}", "Accept": "*/*", **JSON}
    message = request(
        "/t/other/api/v1/models/iris/predict/", host="localhost", body=instances(installation.case), headers=headers
    )
    installation.answer(message)
    return message


def command_line(installation: Installation, *arguments: str) -> str:
    environment = KEPT_ENVIRONMENT | LIMITS | {"FORETELL_HOME": str(installation.home)}
    done = subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def measure(installation: Installation, message: bytes, options: argparse.Namespace) -> Found:
    found: Found = defaultdict(lambda: defaultdict(list))
    needles = [installation.answer(message)]
    for _ in range(options.rounds):
        for situation, times in SITUATIONS.items():
            for rate in (options.rate, None):
                shape = Shape("one", 16, options.seconds, rate)
                with beside(installation, times, options.seconds):
                    result = generate(installation.port, [message], needles, shape)
                assert set(result["statuses"]) == {"200"}, result["statuses"]
                note(found[situation], result, rate)
    return found


@contextmanager
def beside(installation: Installation, times: float, seconds: float) -> Iterator[None]:
    """Let tenant A send so many times its limit meanwhile."""
    if not times:
        yield
        return
    shape = Shape("one", 16, seconds + 10, int(times * LIMIT))
    with loading(installation.port, [installation.message()], [b"prediction"], shape) as load:
        yield
        finished(load, within_s=30, at_once=True)


def note(found: dict[str, list[float]], result: dict[str, Any], rate: int | None) -> None:
    if rate is None:
        found["per_s"].append(result["answered"] / result["seconds"])
    else:
        found["p50_ms"].append(result["p50_ms"])
        found["p99_ms"].append(result["p99_ms"])


def row(what: str, unit: str, found: Found, name: str, rate: int) -> list[str]:
    alone, at_limit, above = (statistics.median(found[situation][name]) for situation in SITUATIONS)
    cost = 1 - above / alone if name == "per_s" else above / alone - 1
    form = "{:,.0f}" if name == "per_s" else "{:.2f}"
    shown = ", ".join(
        f"{form.format(value)}{unit} {situation}"
        for value, situation in zip((alone, at_limit, above), SITUATIONS, strict=True)
    )
    how = "as fast as answers come" if name == "per_s" else f"at {rate} arrivals a second"
    verdict = "reached" if cost <= 0.1 else "not reached: A's load generator and its refusals share the two cores"
    return [f"{what} of tenant B, {how}", "≤ 10 % cost", f"{shown}: {cost:+.0%}", verdict]


if __name__ == "__main__":
    main()
