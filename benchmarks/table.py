"""Draws results.md from what the scripts kept."""

from collections.abc import Iterable
from typing import Any

from goals import goal_rows

GOAL_COLUMNS = ("", "goal", "measured", "reached")
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


def document(kept: dict[str, Any]) -> str:
    parts = [
        "# Results of `make bench`",
        f"{kept.get('cores', '?')} cores, shared with the load generator. Medians of interleaved rounds.",
    ]
    if "foundation" in kept:
        parts += ["## The foundation", three_columns(kept["foundation"])]
    parts += ["## Goals of the fast lane", goals(kept)]
    if "compare" in kept:
        parts += [
            "## Beside others",
            "![requests per second and CPU per request](results.svg)",
            *comparison(kept["compare"]),
        ]
    return "\n\n".join(parts) + "\n"


def partial_document(kept: dict[str, Any]) -> str:
    """Show what one run of some measured, and no more."""
    rows = [row for row in goal_rows(kept) if row[2] != "not measured"]
    return "\n\n".join([markdown(GOAL_COLUMNS, rows), *comparison(kept.get("compare", {}))])


def three_columns(rows: list[list[str]]) -> str:
    return markdown(("what", "goal", "measured"), rows)


def goals(kept: dict[str, Any]) -> str:
    return markdown(GOAL_COLUMNS, list(goal_rows(kept)))


def comparison(compared: dict[str, Any]) -> list[str]:
    parts = [markdown(("server", "cold start", "memory (PSS)"), [costs(each) for each in compared.values()])]
    shapes = dict.fromkeys(shape for each in compared.values() for shape in each["measured"])
    for shape in shapes:
        rows = [row(each, each["measured"][shape]) for each in compared.values() if shape in each["measured"]]
        parts += [f"### {heading(shape)}", markdown(("server", *COLUMNS), rows)]
    return [*parts, *splits(compared, shapes)]


def splits(compared: dict[str, Any], shapes: Iterable[str]) -> list[str]:
    """Tell what each process of Foretell has of a request's CPU."""
    found = compared.get("foretell", {}).get("measured", {})
    rows = [split(heading(shape), found[shape]["split_us"]) for shape in shapes if "split_us" in found.get(shape, {})]
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


def markdown(header: tuple[str, ...], rows: list[Any]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    assert all(len(line) == len(header) for line in lines), lines
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "/")[:160]
