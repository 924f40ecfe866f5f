"""What a tenant that asks for ten times its limit costs another: `python benchmarks/fairness.py [--rounds 5] [--seconds 2]`.

The polite tenant is measured alone, beside a greedy one at its limit, and beside it at ten times its limit, in turns: at fixed
arrivals that the machine carries, and, in a second table, as fast as answers come. Both tenants' loads come from processes on the same
machine, which share its cores with the server; what they take of them is told, and counts against the polite tenant here.
"""

import argparse
import json
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contenders.artifacts import instances, iris
from contenders.base import KEPT_ENVIRONMENT
from contenders.foretell import FORETELL as PROGRAM
from contenders.foretell import LIMITS
from goals import Verdict
from http_load import request
from installation import JSON, Installation, installed
from measuring import Shape, finished, generate, loading, settle
from results import Table, keep
from spending import spent, total

import foretell

ROUNDS, CONNECTIONS, MOST = 5, 16, 0.1
SITUATIONS = {"alone": 0.0, "beside the other at its limit": 0.9, "beside the other at ten times its limit": 10.0}
ALONE, GREEDY = "alone", "beside the other at ten times its limit"
Found = dict[str, dict[str, list[float]]]  # by situation, and by what was measured
HEADER = (
    "the polite tenant",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "server's CPU, cores",
    "its load's",
    "the other's load's",
    "refused/s",
)


def main() -> None:
    options = arguments()
    with installed() as installation:
        message = another_tenant(installation)
        command_line(installation, "tenant", "limits", "demo", "--tenant", f"{options.limit}/s")
        fixed, closed = measure(installation, message, options)
    given = f"limit {options.limit:,}/s, so {10 * options.limit:,}/s asked of it"
    tables = [
        table(f"At {options.rate:,} arrivals a second; the other's {given}", fixed),
        table(f"As fast as answers come, over {CONNECTIONS} connections", closed),
    ]
    keep("fairness", verdicts=verdicts(fixed, closed), tables=tables, is_whole=options.rounds >= ROUNDS)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_const", const=1, dest="rounds", help="one round, shown only")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--limit", type=int, default=500, help="of the greedy tenant, a second")
    parser.add_argument("--rate", type=int, default=1_000, help="the polite tenant's arrivals a second")
    return parser.parse_args()


# --- measuring ----------------------------------------------------------------------------------------------------------


def measure(installation: Installation, message: bytes, options: argparse.Namespace) -> tuple[Found, Found]:
    fixed: Found = defaultdict(lambda: defaultdict(list))
    closed: Found = defaultdict(lambda: defaultdict(list))
    needles = [installation.answer(message)]
    for number in range(options.rounds):
        for situation, times in SITUATIONS.items():
            for found, rate in ((fixed, options.rate), (closed, None)):
                shape = Shape("one", CONNECTIONS, options.seconds, rate)
                once(installation, message, needles, shape, int(times * options.limit), found[situation])
        print(f"round {number + 1} of {options.rounds}", flush=True)
    return fixed, closed


def once(
    installation: Installation, message: bytes, needles: list[bytes], shape: Shape, asked: int, found: dict[str, list[float]]
) -> None:  # fmt: skip
    settle(installation.running)
    with beside(installation, asked, shape.seconds) as other:
        before, began = spent(installation.running), time.monotonic()
        result = generate(installation.port, [message], needles, shape)
        cores = (total(spent(installation.running)) - total(before)) / (time.monotonic() - began)
    assert set(result["statuses"]) == {"200"}, result["statuses"]
    found["per_s"].append(result["right"] / result["seconds"])
    found["p50_ms"].append(result["p50_ms"])
    found["p99_ms"].append(result["p99_ms"])
    found["cores"].append(cores)
    found["busy"].append(result["generator_busy"])
    found["other_busy"].append(other.get("generator_busy", 0.0))
    found["refused"].append(other.get("statuses", {}).get("429", 0) / other.get("seconds", 1.0))


@contextmanager
def beside(installation: Installation, rate: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Let the greedy tenant ask so often meanwhile; what came of it is known in the end."""
    outcome: dict[str, Any] = {}
    if not rate:
        yield outcome
        return
    shape = Shape("one", CONNECTIONS, seconds + 10, rate)
    with loading(installation.port, [installation.message()], [b"prediction"], shape) as load:
        time.sleep(0.5)  # its bucket is empty, and its load under way
        yield outcome
        outcome |= finished(load, within_s=30, at_once=True)


# --- what came of it ----------------------------------------------------------------------------------------------------


def verdicts(fixed: Found, closed: Found) -> dict[str, Verdict]:
    closed_cost = 1 - median(closed, GREEDY, "per_s") / median(closed, ALONE, "per_s")
    per_s = [median(fixed, situation, "per_s") for situation in (ALONE, GREEDY)]
    cost = 1 - per_s[1] / per_s[0]
    measured = f"{per_s[0]:,.0f} → {per_s[1]:,.0f}/s at fixed arrivals ({-cost:+.0%}); {-closed_cost:+.0%} as fast as answers come"
    return {
        "fairness_per_s": Verdict(measured, cost <= MOST, shared(fixed)),
        "fairness_p50": latency(fixed, "p50_ms"),
        "fairness_p99": latency(fixed, "p99_ms"),
    }


def latency(fixed: Found, what: str) -> Verdict:
    alone, greedy = (median(fixed, situation, what) for situation in (ALONE, GREEDY))
    cost = greedy / alone - 1
    return Verdict(f"{alone:.2f} → {greedy:.2f} ms at fixed arrivals ({cost:+.0%})", cost <= MOST, shared(fixed))


def shared(found: Found) -> str:
    """Say how the cores were shared while the greedy tenant asked."""
    alone, cores = (median(found, situation, "cores") for situation in (ALONE, GREEDY))
    loads = median(found, GREEDY, "busy") + median(found, GREEDY, "other_busy")
    refused = median(found, GREEDY, "refused")
    return (
        f"with {refused:,.0f} refusals a second the server takes {cores:.2f} cores, alone {alone:.2f}, and the loads' own processes "
        f"{loads:.2f} more of the same cores"
    )


def table(title: str, found: Found) -> Table:
    return title, HEADER, [row(found, situation) for situation in SITUATIONS]


def row(found: Found, situation: str) -> list[str]:
    forms = {
        "per_s": "{:,.0f}", "p50_ms": "{:.2f}", "p99_ms": "{:.2f}", "cores": "{:.2f}", "busy": "{:.2f}",
        "other_busy": "{:.2f}", "refused": "{:,.0f}",
    }  # fmt: skip
    return [situation, *(form.format(median(found, situation, what)) for what, form in forms.items())]


def median(found: Found, situation: str, what: str) -> float:
    return statistics.median(found[situation][what])


# --- the tenants --------------------------------------------------------------------------------------------------------


def another_tenant(installation: Installation) -> bytes:
    """Make the polite tenant with the same model; return its request."""
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


if __name__ == "__main__":
    main()
