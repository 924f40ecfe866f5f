"""Where output goes: words to stderr, results to stdout, as a table for people or as JSON for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

words = Console(stderr=True, highlight=False)


def say(message: str) -> None:
    """Tell the person something; `message` may carry rich's markup."""
    words.print(message, soft_wrap=True)


def said(message: str, result: dict[str, Any] | None) -> None:
    """Tell the person what was done; to a program, print the result as JSON, where it asked for one."""
    say(message)
    if result is not None:
        print_json(result)


def print_json(result: Any) -> None:
    sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=False, default=str) + "\n")


def print_rows(rows: Sequence[dict[str, Any]], *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Print rows as JSON, as a table on a terminal, or as tab-separated lines in a pipe."""
    if as_json:
        print_json(list(rows))
        return
    columns = list(columns or (rows[0] if rows else ()))
    if not sys.stdout.isatty():
        sys.stdout.writelines("\t".join(_cell(row.get(column)) for column in columns) + "\n" for row in rows)
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value)
