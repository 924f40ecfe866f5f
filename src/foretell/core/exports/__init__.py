"""Lists as files: CSV, Excel, Parquet and, where a list offers it, JSON Lines; sent piece by piece; memory stays as it is, however long the list."""

from foretell.core.exports.csv_files import csv_chunks
from foretell.core.exports.json_lines_files import json_lines_chunks
from foretell.core.exports.renderers import (
    EXPORT_RENDERERS,
    CSVRenderer,
    ExcelRenderer,
    JSONLinesRenderer,
    ParquetRenderer,
)
from foretell.core.exports.responses import export_response, is_export
from foretell.core.exports.tables import Column, Kind, Table, by_keys, for_tenant

__all__ = [
    "EXPORT_RENDERERS",
    "CSVRenderer",
    "Column",
    "ExcelRenderer",
    "JSONLinesRenderer",
    "Kind",
    "ParquetRenderer",
    "Table",
    "by_keys",
    "csv_chunks",
    "export_response",
    "for_tenant",
    "is_export",
    "json_lines_chunks",
]
