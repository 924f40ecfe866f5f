"""A table as an answer, in the format that was asked for."""

from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from rest_framework.request import Request

from foretell.core.exports.csv_files import csv_chunks
from foretell.core.exports.excel_files import excel_chunks
from foretell.core.exports.json_lines_files import json_lines_chunks
from foretell.core.exports.parquet_files import parquet_chunks
from foretell.core.exports.renderers import (
    CSVRenderer,
    ExcelRenderer,
    ExportRenderer,
    JSONLinesRenderer,
    ParquetRenderer,
)
from foretell.core.exports.tables import Table

Chunks = Callable[[Table], Iterator[bytes]]

WRITERS: dict[str, Chunks] = {
    CSVRenderer.format: csv_chunks,
    ExcelRenderer.format: excel_chunks,
    ParquetRenderer.format: parquet_chunks,
    JSONLinesRenderer.format: json_lines_chunks,
}


def is_export(request: Request) -> bool:
    """Whether the list is asked for as a file, which has all of it and no pages."""
    return isinstance(request.accepted_renderer, ExportRenderer)


def export_response(request: Request, table: Table) -> StreamingHttpResponse:
    renderer = request.accepted_renderer
    charset = "; charset=utf-8" if renderer.format == CSVRenderer.format else ""
    headers = {
        "Content-Disposition": f'attachment; filename="{table.name}.{renderer.format}"',
        "X-Content-Type-Options": "nosniff",
    }
    chunks = streamed(WRITERS[renderer.format](table)) if request.method != "HEAD" else streamed(iter(()))
    return StreamingHttpResponse(chunks, content_type=f"{renderer.media_type}{charset}", headers=headers)


async def streamed(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what is made in a thread; where the client leaves, the making ends as well."""
    try:
        while (chunk := await sync_to_async(_next)(chunks)) is not None:
            yield chunk
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            await sync_to_async(close)()


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)
