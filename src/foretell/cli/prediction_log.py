"""foretell logs: what was asked of a model."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foretell.cli.connecting import AsJSON, MalformedArgument, Reference, find_version, open_client, parse_reference
from foretell.cli.listing import ModelReference
from foretell.cli.output import print_json, print_rows, say

if TYPE_CHECKING:
    from foretell.client import Client, LoggedPrediction

COLUMNS = ["at", "version", "user", "rows", "ms", "warnings", "by", "id"]
POLL_S = 1.0
OVERLAP = timedelta(seconds=30)  # the log is filled by several processes, and not in order of time
SOME = 1_000


def register(app: typer.Typer) -> None:
    app.command("logs", rich_help_panel="Models")(logs)


def logs(
    model: ModelReference,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, of the newest.")] = 50,
    since: Annotated[datetime | None, typer.Option(help="Only later ones, such as 2026-11-21T08:00.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Show what was asked of a model, the newest last; with --json and --follow, one object on a line."""
    reference = parse_reference(model)
    with open_client() as client:
        version = _version_number(client, reference)
        found = client.logs(reference.name, version=version, since=since, limit=max(limit, SOME) if follow else limit)[
            ::-1
        ]
        if not follow:
            _print_all(found, as_json)
            return
        _print_lines(found[-limit:], as_json)
        for one in _following(client, reference.name, version, found):
            _print_lines([one], as_json)


def _version_number(client: "Client", reference: Reference) -> int | None:
    if reference.alias is None:
        return reference.version
    version = find_version(client, reference)
    if version is None:
        raise MalformedArgument(f"{reference.name}@{reference.alias} names no version.")
    return version.version


def _following(
    client: "Client", name: str, version: int | None, shown: "Iterable[LoggedPrediction]"
) -> "Iterator[LoggedPrediction]":
    """Yield what comes, once each, although what is asked for overlaps."""
    seen = {one.id: one.at for one in shown}
    newest = max(seen.values(), default=datetime.now(UTC))
    while True:
        time.sleep(POLL_S)
        for one in client.logs(name, version=version, since=newest - OVERLAP, limit=SOME)[::-1]:
            if one.id not in seen:
                seen[one.id] = one.at
                yield one
        newest = max(seen.values(), default=newest)
        seen = {id: at for id, at in seen.items() if at >= newest - OVERLAP}


def _print_all(found: "list[LoggedPrediction]", as_json: bool) -> None:
    if as_json:
        print_json([one.raw for one in found])
        return
    if not found:
        say("Nothing was asked yet, or nothing that you may see.")
    print_rows([_row(one) for one in found], as_json=False, columns=COLUMNS)


def _print_lines(found: "Iterable[LoggedPrediction]", as_json: bool) -> None:
    for one in found:
        row = _row(one)
        line = json.dumps(one.raw, ensure_ascii=False) if as_json else "\t".join(str(row[name]) for name in COLUMNS)
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _row(one: "LoggedPrediction") -> dict[str, Any]:
    return {
        "at": f"{one.at.astimezone():%Y-%m-%d %H:%M:%S}",
        "version": one.version,
        "user": one.user or "-",
        "rows": one.n_rows,
        "ms": f"{one.duration_ms:.2f}",
        "warnings": one.n_warnings,
        "by": one.face,
        "id": one.id,
    }
