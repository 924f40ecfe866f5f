"""Parquet, sent while it is written: polars writes one end of a pipe, the answer reads the other."""

import json
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from foretell.core.exports.tables import Column, Kind, Row, Table

CHUNK_BYTES = 1 << 16
ROWS_OF_A_GROUP = 50_000

DTYPES: dict[Kind, Any] = {
    Kind.TEXT: pl.String,
    Kind.INTEGER: pl.Int64,
    Kind.NUMBER: pl.Float64,
    Kind.TIME: pl.Datetime("us", "UTC"),
    Kind.JSON: pl.String,
}


def parquet_chunks(table: Table) -> Iterator[bytes]:
    reader, writer = os.pipe()
    writing = _Writing(table, writer)
    writing.start()
    try:
        while chunk := os.read(reader, CHUNK_BYTES):
            yield chunk
    finally:
        writing.stop()
        os.close(reader)  # a writer that waits for room meets a broken pipe
        writing.join()
    if writing.failure is not None:
        raise writing.failure  # the answer breaks off, so that nobody takes half a file for a whole one


class _Stopped(Exception):
    """Nobody reads any more."""


class _Writing(threading.Thread):
    def __init__(self, table: Table, descriptor: int) -> None:
        super().__init__(name="parquet")
        self._table, self._descriptor = table, descriptor
        self._is_stopped = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with os.fdopen(self._descriptor, "wb") as file:
                frame = lazy_frame(self._table.columns, self._parts())
                frame.sink_parquet(file, row_group_size=ROWS_OF_A_GROUP, engine="streaming")
        except Exception as err:  # noqa: BLE001  told to whoever reads
            self.failure = err

    def stop(self) -> None:
        self._is_stopped.set()

    def _parts(self) -> Iterator[Sequence[Row]]:
        """Yield what is to be written, while somebody reads: polars asks for all of it, whether it can write or not."""
        for part in self._table.parts:
            if self._is_stopped.is_set():
                raise _Stopped
            yield part


def lazy_frame(columns: Sequence[Column], parts: Iterable[Sequence[Row]]) -> pl.LazyFrame:
    """Return a table that polars reads part by part, as it writes."""
    schema = {column.name: DTYPES[column.kind] for column in columns}

    def frames(*_: Any) -> Iterator[pl.DataFrame]:
        for part in parts:
            yield pl.DataFrame([_plain(row) for row in part], schema=schema, orient="row")

    return register_io_source(frames, schema=schema)


def _plain(row: Row) -> list[Any]:
    return [json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value for value in row]
