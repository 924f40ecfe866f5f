"""CSV, as spreadsheets and programs read it: RFC 4180, UTF-8."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from foretell.core.exports.tables import Row, Table

# Security: a spreadsheet takes a text that begins so for a formula, and somebody else may have written the text.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def csv_chunks(table: Table) -> Iterator[bytes]:
    yield _lines([[column.name for column in table.columns]])
    for part in table.parts:
        yield _lines([cell(value) for value in row] for row in part)


def cell(value: Any) -> Any:
    """Return what stands in the file; a text that would be a formula gets an apostrophe before it, as people type it."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULAS) else value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value


def _lines(rows: Iterable[Row]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode("utf-8", "replace")
