"""The formats' names for content negotiation, by `Accept` and `?format=`. What is rendered by them are errors alone."""

from typing import Any

from rest_framework.renderers import BaseRenderer


class ExportRenderer(BaseRenderer):
    render_style = "binary"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return str(data).encode()


class CSVRenderer(ExportRenderer):
    media_type = "text/csv"
    format = "csv"


class ExcelRenderer(ExportRenderer):
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    format = "xlsx"


class ParquetRenderer(ExportRenderer):
    media_type = "application/vnd.apache.parquet"
    format = "parquet"


class JSONLinesRenderer(ExportRenderer):
    """Not one of every list's: what it is for, a list says by having it."""

    media_type = "application/x-ndjson"
    format = "jsonl"


EXPORT_RENDERERS: list[type[BaseRenderer]] = [CSVRenderer, ExcelRenderer, ParquetRenderer]
