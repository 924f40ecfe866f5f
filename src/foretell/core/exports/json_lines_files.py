"""JSON Lines: an object for each row, with every value as it is; for programs, and for whoever checks digests."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from foretell.core.exports.tables import Table


def json_lines_chunks(table: Table) -> Iterator[bytes]:
    names = [column.name for column in table.columns]
    for part in table.parts:
        lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=_plain) for row in part)
        yield "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _plain(value: Any) -> str:
    """Return times in UTC, to the microsecond."""
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)
