"""What a tenant used, added up from the ledger's hours: by time, model, version, person or key."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Max, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncMonth

from foretell.accounts.models import User
from foretell.accounts.permissions import LogReach
from foretell.core.exports import Column, Kind, Table
from foretell.monitoring.models import PredictionQuerySet, UsageHour, UsageHourQuerySet

AMOUNTS: Final = ("requests", "rows", "duration_us", "cpu_us", "bytes")

#: What usage is told apart by, each with the column or the expression that it is.
GROUPS: Final[dict[str, Any]] = {
    "month": TruncMonth("hour"),
    "day": TruncDay("hour"),
    "hour": F("hour"),
    "model": F("model"),
    "version": F("version"),
    "user": F("user_id"),
    "key": F("key_id"),
}
_KINDS = {"month": Kind.TIME, "day": Kind.TIME, "hour": Kind.TIME, "version": Kind.INTEGER}


@dataclass(frozen=True, slots=True)
class Period:
    """From an hour on, up to another that is no part of it."""

    begin: datetime
    end: datetime


def month_so_far(now: datetime) -> Period:
    return Period(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0), now)


def used(period: Period, *, reach: LogReach | None = None, **only: Any) -> UsageHourQuerySet:
    """Return the ledger's hours of a period, as far as somebody may see them."""
    found = UsageHour.objects.between(period.begin, period.end).filter(**only)
    if reach is None:
        return found
    return PredictionQuerySet.within(found, reach)  # type: ignore[arg-type,return-value]  # both have the columns that it asks for


def grouped(found: UsageHourQuerySet, by: Sequence[str]) -> QuerySet[Any, Any]:
    """Return what each group adds up to, as `told` reads it; without groups, one row for all of it."""
    groups = {f"by_{name}": GROUPS[name] for name in by} or {"by_all": Max("hour") * 0}
    sums = {f"sum_{name}": Sum(name) for name in AMOUNTS}
    order = [f"-by_{name}" if name in ("month", "day", "hour") else f"by_{name}" for name in by]
    return found.order_by().values(**groups).annotate(**sums).order_by(*order)


def told(rows: Iterable[dict[str, Any]], by: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows in words: people by their names, time in seconds."""
    rows = list(rows)
    names = _names(rows) if "user" in by else {}
    return [{**{name: _word(name, row[f"by_{name}"], names) for name in by}, **_amounts(row)} for row in rows]


def total(found: UsageHourQuerySet) -> dict[str, Any]:
    sums = found.totals()
    return {
        "requests": sums["requests"],
        "rows": sums["rows"],
        "duration_s": sums["duration_us"] / 1e6,
        "cpu_s": sums["cpu_us"] / 1e6,
        "bytes": sums["bytes"],
    }


def usage_table(found: UsageHourQuerySet, by: Sequence[str]) -> Table:
    columns = [
        *(Column(name, _KINDS.get(name, Kind.TEXT)) for name in by),
        Column("requests", Kind.INTEGER), Column("rows", Kind.INTEGER), Column("duration_s", Kind.NUMBER), Column("cpu_s", Kind.NUMBER),
        Column("bytes", Kind.INTEGER),
    ]  # fmt: skip
    return Table("usage", columns, _parts(found, by))


PART = 2_000


def _parts(found: UsageHourQuerySet, by: Sequence[str]) -> Iterator[list[Sequence[Any]]]:
    rows = grouped(found, by)
    for start in range(0, rows.count(), PART):
        yield [list(row.values()) for row in told(rows[start : start + PART], by)]


def _names(rows: Iterable[dict[str, Any]]) -> dict[Any, str]:
    ids = {row["by_user"] for row in rows}
    return {user.id: user.username for user in User.objects.filter(id__in=ids).only("username")}


def _word(group: str, value: Any, names: dict[Any, str]) -> Any:
    if group == "user":
        return names.get(value)  # None: somebody who is gone
    return value or None if group == "key" else value


def _amounts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "requests": int(row["sum_requests"]), "rows": int(row["sum_rows"]), "duration_s": int(row["sum_duration_us"]) / 1e6,
        "cpu_s": int(row["sum_cpu_us"]) / 1e6, "bytes": int(row["sum_bytes"]),
    }  # fmt: skip
