"""What predictions add up to, as rows: usage by the hour, when keys were last used, gaps."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from foretell.monitoring.copying import HOUR_US, Hours, Unstorable
from foretell.segments.records import GapRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = tuple[Any, ...]


def usage_rows(hours: Hours) -> list[Row]:
    """Return the rows in one order everywhere: two drainers that wait for each other's rows would wait for ever."""
    uses: dict[tuple[int, str, int, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for hour, shares in hours.items():
        for (model, version, _, user_id, key_id, _), share in shares.items():
            use = uses[hour, model, version, user_id, key_id or ""]
            use[0] += share.requests
            use[1] += share.rows
            use[2] += share.duration_us
            use[3] += share.cpu_us
            use[4] += share.n_bytes
    return [(_hour(hour), *names, *use) for (hour, *names), use in sorted(uses.items())]


def as_arrays(rows: Iterable[Row]) -> list[str]:
    """Return the columns as PostgreSQL writes arrays.

    Optimization: the driver's own way takes seven times as long, which shows where each of a thousand people asks a little.
    """
    return ["{" + ",".join(map(_element, column)) + "}" for column in zip(*rows, strict=True)]


def latest_use(hours: Hours) -> dict[str, int]:
    """Return when each key was last used, in microseconds."""
    latest: dict[str, int] = {}
    for shares in hours.values():
        for (*_, key_id, _), share in shares.items():
            if key_id is not None:
                latest[key_id] = max(share.latest_us, latest.get(key_id, 0))
    return latest


def gap_rows(gaps: Iterable[GapRecord]) -> list[Row]:
    return list(map(_gap_row, gaps))


def moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


@lru_cache(maxsize=64)
def _hour(number: int) -> datetime:
    return moment(number * HOUR_US)


def _element(value: object) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _gap_row(gap: GapRecord) -> Row:
    try:
        return UUID(bytes=gap.id), moment(gap.first_at_us), moment(gap.last_at_us), gap.n_predictions
    except (ValueError, OverflowError) as err:
        raise Unstorable(f"the gap {gap.id.hex()} fits no row: {err}") from err
