"""Draws results.md from what the programs kept."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from goals import GOALS, Goal, Verdict

PARTS = ("web", "worker", "PostgreSQL", "others")
COLUMNS = (
    "requests/s",
    "p50 ms",
    "p99 ms",
    "CPU µs per request",
    "errors",
    "not answered in time",
    "load generator busy",
)
GOAL_COLUMNS = ("", "goal", "measured", "reached", "by", "on")
TITLES = {
    "foundation": "The foundation",
    "compare": "Beside others",
    "many_tenants": "Many tenants",
    "fairness": "Fairness",
    "limits": "Limits",
    "prediction_log": "The log",
    "restarts": "Restarts",
}


def document(kept: dict[str, Any]) -> str:
    programs = kept["programs"]
    parts = [
        "# Results of `make bench`",
        f"{kept.get('cores', '?')} cores, shared with the load generator. Medians of interleaved rounds.",
        "## Goals of the fast lane",
        markdown(GOAL_COLUMNS, [goal_row(goal, programs) for goal in GOALS]),
    ]
    for name, title in TITLES.items():
        if details := list(detailed(name, programs.get(name, {}))):
            parts += [f"## {title}", ran(name, programs[name]), *details]
    return "\n\n".join(parts) + "\n"


def one_program(name: str, found: dict[str, Any]) -> str:
    """Show what one program measured, and no more."""
    rows = [goal_row(goal, {name: found}) for goal in GOALS if goal.name in found["verdicts"]]
    goals = [markdown(GOAL_COLUMNS, rows)] if rows else []
    return "\n\n".join([*goals, *detailed(name, found)])


def goal_row(goal: Goal, programs: dict[str, Any]) -> list[str]:
    found = programs.get(goal.program, {})
    by = f"`{goal.program}.py`"
    if goal.name not in found.get("verdicts", {}):
        return [goal.what, goal.goal, "not measured", "", by, ""]
    verdict = Verdict(*found["verdicts"][goal.name])
    return [goal.what, goal.goal, verdict.measured, verdict.said, by, found["on"].split(" ")[0]]


def ran(name: str, found: dict[str, Any]) -> str:
    return f"`python benchmarks/{name}.py`, {found['on']} UTC, took {found['took_s'] / 60:.1f} minutes."


def detailed(name: str, found: dict[str, Any]) -> Iterator[str]:
    if "compared" in found:
        yield "![requests per second and CPU per request](results.svg)"
        yield from comparison(found["compared"])
    for title, header, rows in found.get("tables", ()):
        yield from [f"### {title}", markdown(header, rows)] if title else [markdown(header, rows)]


# --- beside others ----------------------------------------------------------------------------------------------------------


def comparison(compared: dict[str, Any]) -> list[str]:
    parts = [markdown(("server", "cold start", "memory (PSS)"), [costs(each) for each in compared.values()])]
    shapes = list(dict.fromkeys(shape for each in compared.values() for shape in each["measured"]))
    for shape in shapes:
        rows = [row(each, each["measured"][shape]) for each in compared.values() if shape in each["measured"]]
        parts += [f"### {heading(shape)}", markdown(("server", *COLUMNS), rows)]
    return [*parts, *splits(compared, shapes)]


def splits(compared: dict[str, Any], shapes: Iterable[str]) -> list[str]:
    """Tell what each process of Foretell has of a request's CPU."""
    found = compared.get("foretell", {}).get("measured", {})
    rows = [split(heading(shape), found[shape]["split_us"]) for shape in shapes if shape in found]
    if not rows:
        return []
    return ["### Foretell's CPU per request, by process: user + system, in µs", markdown(("", *PARTS, "all"), rows)]


def split(heading: str, parts: dict[str, list[float]]) -> list[str]:
    cells = [f"{user:,.0f} + {system:,.0f}" for user, system in (parts.get(part, (0.0, 0.0)) for part in PARTS)]
    user, system = (sum(part[kind] for part in parts.values()) for kind in (0, 1))
    return [heading, *cells, f"{user:,.0f} + {system:,.0f}"]


def costs(each: dict[str, Any]) -> list[str]:
    if each["cold_start_s"] is None or each["pss_mb"] is None:
        return [each["title"], f"did not run: {one_line(each['cannot'])}", ""]
    title = f"{each['title']} (gave up: {one_line(each['cannot'])})" if each["cannot"] else each["title"]
    return [title, f"{each['cold_start_s']:.1f} s", f"{each['pss_mb']:.0f} MB"]


def row(each: dict[str, Any], found: dict[str, float]) -> list[str]:
    return [
        each["title"], f"{found['per_s']:,.0f}", f"{found['p50_ms']:.2f}", f"{found['p99_ms']:.2f}",
        f"{found['cpu_us']:,.0f}", f"{found['errors']:.0f}", f"{found['unanswered']:.0f}",
        f"{found['generator_busy']:.0%}",
    ]  # fmt: skip


def heading(shape: str) -> str:
    case, how = shape.split(", ")
    rows = "One row" if case == "one" else "1,000 rows of 30 features"
    if how.endswith("/s"):
        return f"{rows}, {int(how[:-2]):,} arrivals a second; latency from when a request was due"
    return f"{rows}, {how} connection{'s' if how != '1' else ''}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    assert all(len(line) == len(header) for line in lines), lines
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "/")[:300]
