"""The log as a table, for CSV, Excel and Parquet; streamed, however long it is."""

from collections.abc import Iterator, Sequence
from typing import Any

from foretell.core.exports import Column, Kind, Table, for_tenant
from foretell.core.tenancy import current_tenant
from foretell.monitoring.models import Prediction, PredictionQuerySet
from foretell.monitoring.serializers import usernames

PART = 2_000
COLUMNS = (
    Column("id"), Column("at", Kind.TIME), Column("model"), Column("version", Kind.INTEGER), Column("face"), Column("user"),
    Column("key"), Column("request_id"), Column("n_rows", Kind.INTEGER), Column("duration_ms", Kind.NUMBER),
    Column("cpu_ms", Kind.NUMBER), Column("n_warnings", Kind.INTEGER),
)  # fmt: skip


def predictions_table(predictions: PredictionQuerySet) -> Table:
    return Table("predictions", COLUMNS, for_tenant(current_tenant(), _parts(predictions)))


def _parts(predictions: PredictionQuerySet) -> Iterator[list[Sequence[Any]]]:
    """Yield the rows by their keys, each part from where the last one ended: no cursor is held between them."""
    found = list(predictions[:PART])
    while found:
        yield list(_rows(found))
        found = list(predictions.filter(id__lt=found[-1].id)[:PART])


def _rows(found: Sequence[Prediction]) -> Iterator[Sequence[Any]]:
    names = usernames(found)
    for one in found:
        yield (
            str(one.id), one.at, one.model, one.version, one.face, names.get(one.user_id), one.key_id, one.request_id, one.n_rows,
            one.duration_us / 1_000, one.cpu_us / 1_000, one.n_warnings,
        )  # fmt: skip
