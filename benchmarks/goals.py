"""The goals of the fast lane beside what was measured, and what holds back what was not reached."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

# ruff: noqa: RUF001  the sign for "times" is meant

BATCHING = ("bentoml", "litserve", "mlserver", "mlflow")
PLAIN_FOREST = (
    "the example's forest has n_jobs=None, which suits the others: one that asks for all cores costs them more a row"
)
NOT_KNOWN = "not known; compare the tables below"
Kept = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """`value` and `holds_back` read the results; a KeyError means that it was not measured. `unit` formats the value."""

    what: str
    goal: str
    value: Callable[[Kept], float]
    is_reached: Callable[[float], bool]
    unit: str
    holds_back: Callable[[Kept], str] = lambda kept: NOT_KNOWN


def goal_rows(kept: Kept) -> Iterator[list[str]]:
    for goal in GOALS:
        try:
            value = goal.value(kept)
        except (KeyError, ZeroDivisionError, ValueError):
            yield [goal.what, goal.goal, "not measured", ""]
            continue
        reached = goal.is_reached(value)
        yield [
            goal.what,
            goal.goal,
            goal.unit.format(value),
            "reached" if reached else f"not reached: {why(goal, kept)}",
        ]
    for name in ("swaps", "propagation", "fairness", "many_tenants"):
        yield from kept.get(name, [[f"`python benchmarks/{name}.py`", "", "not measured", ""]])
    yield from ELSEWHERE


def why(goal: Goal, kept: Kept) -> str:
    try:
        return goal.holds_back(kept)
    except KeyError:  # what it is explained by did not run
        return NOT_KNOWN


def of(name: str, what: str, shape: str = "one, 32") -> Callable[[Kept], float]:
    return lambda kept: float(kept["compare"][name]["measured"][shape][what])


def ratio(above: Callable[[Kept], float], below: Callable[[Kept], float]) -> Callable[[Kept], float]:
    return lambda kept: above(kept) / below(kept)


def best_peer(kept: Kept, *, tuned: bool) -> float:
    """Return the most requests a second that a dedicated server reached, over 32 connections."""
    names = [name for name in kept["compare"] if name.startswith(BATCHING) and name.endswith("_tuned") == tuned]
    return max(
        found["measured"]["one, 32"]["per_s"]
        for name, found in kept["compare"].items()
        if name in names and found["measured"]
    )


def shares(kept: Kept) -> str:
    """Say where the CPU of a governed answer goes, by what was measured beside it."""
    ours, constant, raw = (of(name, "cpu_us")(kept) for name in ("foretell", "constant", "raw"))
    return (
        f"of {ours:.0f} µs, {constant:.0f} are the server's, {raw - constant:.0f} parse, run and answer, and "
        f"{ours - raw:.0f} governance: credential, limits, checks, headers, the log and its way into PostgreSQL"
    )


PER_S, CPU = of("foretell", "per_s"), of("foretell", "cpu_us")
GOALS = (
    Goal("CPU per governed one-row iris prediction, 32 connections, 2 workers, all of the process tree", "≤ 80 µs", CPU,
         lambda value: value <= 80, "{:.0f} µs",
         shares),
    Goal("throughput against a constant answer on the same server", "≥ 50 %", ratio(PER_S, of("constant", "per_s")),
         lambda value: value >= 0.5, "{:.0%}", shares),
    Goal("… against the same raw prediction without governance", "≥ 75 %", ratio(PER_S, of("raw", "per_s")),
         lambda value: value >= 0.75, "{:.0%}", shares),
    Goal("… against FastAPI + onnxruntime, requests/s", "≥ 2.3×", ratio(PER_S, of("fastapi_onnx", "per_s")),
         lambda value: value >= 2.3, "{:.1f}×", shares),
    Goal("… against FastAPI + onnxruntime, CPU per request", "≤ 0.38×", ratio(CPU, of("fastapi_onnx", "cpu_us")),
         lambda value: value <= 0.38, "{:.2f}×", shares),
    Goal("… against the best dedicated server, as the model comes", "≥ 25×",
         lambda kept: PER_S(kept) / best_peer(kept, tuned=False), lambda value: value >= 25, "{:.0f}×",
         lambda kept: PLAIN_FOREST),
    Goal("… against the best dedicated server, tuned", "≥ 12×",
         lambda kept: PER_S(kept) / best_peer(kept, tuned=True), lambda value: value >= 12, "{:.0f}×"),
    Goal("… against the tutorials' DRF view with token auth", "≥ 150×", ratio(PER_S, of("drf_token", "per_s")),
         lambda value: value >= 150, "{:.0f}×",
         lambda kept: PLAIN_FOREST),
    Goal("p99 with one connection", "≤ 1.5 ms", of("foretell", "p99_ms", "one, 1"), lambda value: value <= 1.5, "{:.2f} ms"),
    Goal("1,000 rows of 30 features as JSON, against parse + runtime alone (p50, one connection)", "≤ 1.3×",
         ratio(of("foretell", "p50_ms", "thousand, 1"), of("raw", "p50_ms", "thousand, 1")), lambda value: value <= 1.3,
         "{:.2f}×", lambda kept: "each value is checked, and the log keeps all rows"),
)  # fmt: skip
# What has a program of its own, which takes minutes and says itself what it found.
ELSEWHERE = (
    ["limit L, 20,000 requests over 4 processes", "exactly L pass", "`python benchmarks/limits.py`", ""],
    ["memory of an idle model", "≤ 2 kB", "`python benchmarks/catalogue.py`", ""],
    ["Postgres stopped for 60 s under load; kill -9 of web, worker, drainer, 50 times under load",
     "100 % answered, 0 rows lost or doubled", "`python benchmarks/prediction_log.py`", ""],
    ["SIGTERM under load, 20 restarts", "0 failed requests", "`python benchmarks/restarts.py`", ""],
)  # fmt: skip
