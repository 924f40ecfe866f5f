"""From what `compare.py` measured, the goals' verdicts, and what holds back those that were not reached."""

from collections.abc import Callable
from typing import Any

from contenders import PEERS
from goals import Verdict

# ruff: noqa: RUF001  the sign for "times" is meant

Compared = dict[str, Any]
ONE = "one, 32"


def verdicts_of(compared: Compared) -> dict[str, Verdict]:
    """Return the verdicts of all goals whose servers were measured."""
    found = {}
    for name, judge in JUDGES.items():
        try:
            found[name] = judge(compared)
        except (KeyError, ValueError, ZeroDivisionError):  # a server did not run
            continue
    return found


def of(compared: Compared, server: str, what: str, shape: str = ONE) -> float:
    return float(compared[server]["measured"][shape][what])


def cpu(compared: Compared) -> Verdict:
    ours = of(compared, "foretell", "cpu_us")
    return Verdict(f"{ours:.0f} µs", ours <= 80, split(compared))


def throughput(other: str, least: float) -> Callable[[Compared], Verdict]:
    def judge(compared: Compared) -> Verdict:
        ours, theirs = (of(compared, name, "per_s") for name in ("foretell", other))
        held = f"a request takes {of(compared, other, 'cpu_us'):.0f} µs of CPU there; here {split(compared)}"
        return Verdict(f"{ours / theirs:.0%} ({ours:,.0f} of {theirs:,.0f}/s)", ours >= least * theirs, held)

    return judge


def times(other: Callable[[Compared], str], least: float) -> Callable[[Compared], Verdict]:
    def judge(compared: Compared) -> Verdict:
        name = other(compared)
        ours, theirs = of(compared, "foretell", "per_s"), of(compared, name, "per_s")
        measured = f"{ours / theirs:.1f}× ({ours:,.0f} against {theirs:,.0f}/s of {compared[name]['title']})"
        held = f"a request takes {of(compared, name, 'cpu_us'):,.0f} µs of CPU there; here {split(compared)}"
        return Verdict(measured, ours >= least * theirs, held)

    return judge


def best_peer(*, tuned: bool) -> Callable[[Compared], str]:
    """Choose the dedicated server that answers most over 32 connections."""
    names = [f"{peer}_tuned" if tuned else peer for peer in PEERS]

    def choose(compared: Compared) -> str:
        ran = [name for name in names if ONE in compared.get(name, {"measured": ()})["measured"]]
        return max(ran, key=lambda name: of(compared, name, "per_s"))

    return choose


def cpu_ratio(compared: Compared) -> Verdict:
    ours, theirs = (of(compared, name, "cpu_us") for name in ("foretell", "fastapi_onnx"))
    return Verdict(f"{ours / theirs:.2f}× ({ours:.0f} against {theirs:.0f} µs)", ours <= 0.38 * theirs, split(compared))


def p99(compared: Compared) -> Verdict:
    ours, p50 = (of(compared, "foretell", what, "one, 1") for what in ("p99_ms", "p50_ms"))
    bare = of(compared, "raw", "p99_ms", "one, 1")
    held = f"half of the answers come within {p50:.2f} ms; the p99 of the raw prediction is {bare:.2f} ms"
    return Verdict(f"{ours:.2f} ms", ours <= 1.5, held)


def thousand(compared: Compared) -> Verdict:
    ours, bare = (of(compared, name, "p50_ms", "thousand, 1") for name in ("foretell", "raw"))
    held = f"a request takes {of(compared, 'raw', 'cpu_us', 'thousand, 1'):,.0f} µs of CPU there; here {split(compared, 'thousand, 1')}"
    return Verdict(f"{ours / bare:.2f}× ({ours:.2f} against {bare:.2f} ms)", ours <= 1.3 * bare, held)


def split(compared: Compared, shape: str = ONE) -> str:
    """Say where the CPU of one of our answers goes."""
    parts = compared["foretell"]["measured"][shape]["split_us"]
    told = [f"{part} {user + system:,.0f}" for part, (user, system) in parts.items() if user + system >= 0.5]
    user, system = (sum(part[kind] for part in parts.values()) for kind in (0, 1))
    text = f"{user + system:,.0f} µs ({', '.join(told)}; {system:,.0f} of it in the kernel)"
    if shape == ONE and "constant" in compared and "raw" in compared:
        constant, raw = (of(compared, name, "cpu_us") for name in ("constant", "raw"))
        text += f", where the server alone takes {constant:.0f}, and {raw:.0f} with parse, run and answer"
    return text


JUDGES: dict[str, Callable[[Compared], Verdict]] = {
    "cpu": cpu,
    "constant": throughput("constant", 0.5),
    "raw": throughput("raw", 0.75),
    "fastapi_per_s": times(lambda compared: "fastapi_onnx", 2.3),
    "fastapi_cpu": cpu_ratio,
    "peers": times(best_peer(tuned=False), 25),
    "peers_tuned": times(best_peer(tuned=True), 12),
    "drf_token": times(lambda compared: "drf_token", 150),
    "p99": p99,
    "thousand": thousand,
}
