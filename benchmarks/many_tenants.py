"""Requests spread over many tenants and models, against one: `python benchmarks/many_tenants.py [--tenants 1000] [--models 10]`.

All tenants are made first, through the same services as any tenant, in at most `--minutes`; if that suffices for fewer, it is said. Then
one model of one tenant, and all models of all tenants in an order without pattern, are asked in turns, over the same connections.
"""

import argparse
import random
import statistics
import time
from typing import Any

from catalogue import in_process
from contenders.artifacts import instances
from goals import Verdict
from http_load import request
from installation import JSON, Installation, installed
from measuring import Shape, generate, settle
from results import keep
from spending import Split, median_split, per_request, pss_mb, spent, total
from tenant_making import Made, make_tenants, wait_for_queue

TENANTS, ROUNDS = 1_000, 5
ENOUGH_PASSES, WARM_WITHIN_S, IDLE_S = 10, 120.0, 20.0
SNAPSHOT_WITHIN_S = 120.0
LEAST, MOST_BYTES = 0.9, 2_000


def main() -> None:
    options = arguments()
    with installed() as installation:
        installation.use_django()
        began = time.monotonic()
        made = make_tenants(installation.home, options.tenants, options.models, within_s=options.minutes * 60)
        wait_for_queue()
        took_s = time.monotonic() - began
        print(f"{len(made):,} tenants with {options.models} models each after {took_s:.0f} s", flush=True)
        verdicts, rows = measured(installation, made, options)
    rows = [["made, three at a time", f"{took_s:.0f} s, {took_s / len(made):.2f} s for one"], *rows]
    title = f"{len(made):,} tenants with {options.models} models each"
    is_whole = len(made) >= TENANTS and options.rounds >= ROUNDS
    keep("many_tenants", verdicts=verdicts, tables=[(title, ("what", "measured"), rows)], is_whole=is_whole)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--minutes", type=float, default=25.0, help="for making the tenants")
    parser.add_argument("--quick", action="store_true", help="a dozen tenants, one round, shown only")
    options = parser.parse_args()
    if options.quick:
        options.tenants, options.rounds = 12, 1
    return options


def measured(
    installation: Installation, made: list[Made], options: argparse.Namespace
) -> tuple[dict[str, Verdict], list[list[str]]]:
    messages = [message_to(installation, each, model) for each in made for model in range(options.models)]
    random.Random(0).shuffle(messages)  # noqa: S311  the same order in every run
    passes = warm_up(installation, messages)
    sets = {"one": messages[:1], "many": messages}
    found: dict[str, list[tuple[float, float, Split]]] = {name: [] for name in sets}
    for _ in range(options.rounds):
        for name, chosen in sets.items():
            found[name].append(once(installation, chosen, options.seconds))
    idle_bytes = memory_of_an_idle_model(installation, len(made))
    one, many = (statistics.median(per_s for per_s, _, _ in found[name]) for name in sets)
    splits = {name: median_split([split for _, _, split in found[name]]) for name in sets}
    share = f"{many / one:.0%} ({many:,.0f} of {one:,.0f}/s) with {len(made):,} tenants"
    rows = [
        ["asked, before it was measured", f"{passes:.0f} times each"],
        *([f"CPU per request, {part}, one → many", change(splits, part)] for part in splits["one"]),
        ["p99 over 32 connections, one → many", " → ".join(f"{p99(found[name]):.2f} ms" for name in sets)],
        ["CPU while nobody asks, of one core", f"{idle(installation):.1%}"],
        ["memory of all processes (PSS)", f"{pss_mb(installation.running.processes()):.0f} MB"],
    ]
    return {
        "tenants": Verdict(share, many >= LEAST * one, held(splits)),
        "idle_model": Verdict(f"{idle_bytes:,.0f} bytes", idle_bytes <= MOST_BYTES),
    }, rows


def once(installation: Installation, messages: list[bytes], seconds: float) -> tuple[float, float, Split]:
    """Return the right answers a second, the p99, and what each cost by process, its way into the log included."""
    settle(installation.running)
    before = spent(installation.running)
    result = ask_all(installation, messages, seconds)
    settle(installation.running)
    split = per_request(before, spent(installation.running), result["right"])
    return result["right"] / result["seconds"], result["p99_ms"], split


def ask_all(installation: Installation, messages: list[bytes], seconds: float) -> dict[str, Any]:
    result = generate(installation.port, messages, [b'"prediction":"virginica"'], Shape("one", 32, seconds))
    assert set(result["statuses"]) == {"200"}, result["statuses"]
    assert not result["wrong"]
    return result


def warm_up(installation: Installation, messages: list[bytes]) -> float:
    """Ask for all models until each web process has met each of them, almost surely; return how often each was asked for."""
    asked, deadline = 0, time.monotonic() + WARM_WITHIN_S
    while asked < ENOUGH_PASSES * len(messages) and time.monotonic() < deadline:
        asked += ask_all(installation, messages, 4.0)["right"]
    return asked / len(messages)


def idle(installation: Installation) -> float:
    """Return the cores that the installation takes while nobody asks: what it does for each tenant now and then."""
    before = spent(installation.running)
    time.sleep(IDLE_S)
    return (total(spent(installation.running)) - total(before)) / IDLE_S


def memory_of_an_idle_model(installation: Installation, tenants: int) -> float:
    """Return the bytes, by what the web processes' snapshot has; it follows them after a while."""
    deadline = time.monotonic() + SNAPSHOT_WITHIN_S
    while (found := in_process("memory", installation.home))["tenants"] <= tenants:  # those, and the demo's
        assert time.monotonic() < deadline, f"the snapshot has {found['tenants']} tenants"
        time.sleep(2)
    return found["model"]


def p99(found: list[tuple[float, float, Split]]) -> float:
    return statistics.median(each for _, each, _ in found)


def change(splits: dict[str, dict[str, list[float]]], part: str) -> str:
    return " → ".join(f"{sum(splits[name].get(part, ())):.0f}" for name in ("one", "many")) + " µs"


def held(splits: dict[str, dict[str, list[float]]]) -> str:
    return "CPU of a request, one → many: " + ", ".join(f"{part} {change(splits, part)}" for part in splits["one"])


def message_to(installation: Installation, tenant: Made, model: int) -> bytes:
    headers = {"Authorization": f"Bearer {tenant.key}", "Accept": "*/*", **JSON}
    path = f"/t/{tenant.name}/api/v1/models/iris-{model}/predict/"
    return request(path, host="localhost", body=instances(installation.case), headers=headers)


if __name__ == "__main__":
    main()
