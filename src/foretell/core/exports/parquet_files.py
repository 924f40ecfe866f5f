"""Parquet, sent while it is written: polars writes one end of a pipe, the answer reads the other."""

import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import polars as pl
import structlog
from polars.io.plugins import register_io_source

from foretell.core.exports.tables import Kind, Row, Table

CHUNK_BYTES = 1 << 16
ROWS_OF_A_GROUP = 50_000

DTYPES: dict[Kind, Any] = {
    Kind.TEXT: pl.String,
    Kind.INTEGER: pl.Int64,
    Kind.NUMBER: pl.Float64,
    Kind.TIME: pl.Datetime("us", "UTC"),
    Kind.JSON: pl.String,
}

log = structlog.get_logger(__name__)


def parquet_chunks(table: Table) -> Iterator[bytes]:
    reader, writer = os.pipe()
    writing = _Writing(table, writer)
    try:
        while chunk := os.read(reader, CHUNK_BYTES):
            yield chunk
    finally:
        os.close(reader)  # a writer that is not done meets a broken pipe, and ends
        writing.join()
    if writing.failure is not None:
        raise writing.failure  # the answer breaks off, so that nobody takes half a file for a whole one


class _Writing(threading.Thread):
    def __init__(self, table: Table, descriptor: int) -> None:
        super().__init__(name="parquet")
        self._table, self._descriptor = table, descriptor
        self.failure: Exception | None = None
        self.start()

    def run(self) -> None:
        with os.fdopen(self._descriptor, "wb") as file:
            try:
                lazy_frame(self._table).sink_parquet(file, row_group_size=ROWS_OF_A_GROUP, engine="streaming")
            except Exception as err:  # noqa: BLE001  told to whoever reads
                self.failure = err


def lazy_frame(table: Table) -> pl.LazyFrame:
    """Return the table as one that polars reads part by part, as it writes."""
    schema = {column.name: DTYPES[column.kind] for column in table.columns}

    def frames(columns: Any, predicate: Any, n_rows: Any, batch_size: Any) -> Iterator[pl.DataFrame]:
        for part in table.parts:
            yield pl.DataFrame([_plain(row) for row in part], schema=schema, orient="row")

    return register_io_source(frames, schema=schema)


def _plain(row: Row) -> list[Any]:
    return [json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value for value in row]
