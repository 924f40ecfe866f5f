"""Excel's own format. It is a ZIP whose parts are known at the end only: it is written to a file first, row by row, then sent."""

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from django.conf import settings
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from foretell.core.exports.tables import Row, Table

ROWS_OF_A_SHEET = 1_048_575  # and the header
MAX_CELL_CHARS = 32_767
CHUNK_BYTES = 1 << 18


def excel_chunks(table: Table) -> Iterator[bytes]:
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        write_workbook(table, cast(BinaryIO, file))
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def write_workbook(table: Table, file: BinaryIO) -> None:
    """Write as many sheets as it takes. Memory: a row at a time; the rows before it are on the disk."""
    options = {
        "constant_memory": True,
        "tmpdir": settings.FILE_UPLOAD_TEMP_DIR,
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
    }
    with Workbook(file, options) as workbook:
        sheet, number = _sheet(workbook, table), 0
        for part in table.parts:
            for row in part:
                if number == ROWS_OF_A_SHEET:
                    sheet, number = _sheet(workbook, table), 0
                number += 1
                _write(sheet, number, row)


def _sheet(workbook: Workbook, table: Table) -> Worksheet:
    sheet = workbook.add_worksheet()
    bold = workbook.add_format({"bold": True})
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.name, bold)
    sheet.freeze_panes(1, 0)
    return sheet


def _write(sheet: Worksheet, number: int, row: Row) -> None:
    for place, value in enumerate(row):
        if isinstance(value, bool):
            sheet.write_boolean(number, place, value)
        elif isinstance(value, int | float):
            sheet.write_number(number, place, value)
        elif isinstance(value, datetime):
            sheet.write_datetime(number, place, value.astimezone(UTC).replace(tzinfo=None))
        elif value is not None:
            sheet.write_string(number, place, _text(value))  # Security: a text is never a formula here


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict | list) else str(value)
    return text[:MAX_CELL_CHARS]
