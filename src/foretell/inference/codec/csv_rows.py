"""A CSV body (RFC 4180, UTF-8, header line) to typed rows. Types come from the signature; nothing is guessed."""

import csv
import io
from collections.abc import Sequence

from foretell.inference.codec.column_readers import ABSENT, Values
from foretell.inference.codec.objects import Located, RowReader, row_reader
from foretell.inference.codec.parsed import MAX_PROBLEMS, MAX_ROWS, ParsedRows, Table, most_rows
from foretell.inference.codec.texts import typed_values
from foretell.inference.codec.wording import place, shown
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.signature import Signature

PATH = "instances"  # the same place in both formats: instances.3.age


def parse_csv(
    signature: Signature, body: bytes, *, max_rows: int = MAX_ROWS, drops_unknown: bool = False
) -> ParsedRows:
    """Read the rows of a CSV body.

    The first line names the columns, in any order. An empty cell is a missing value. A blank line is no row, and a
    column may be left out when its input may be missing. A byte order mark, as Excel writes it, is skipped. With
    `drops_unknown`, columns that are no inputs are left out where all inputs are there.

    Raises
    ------
    InvalidInput
        has every fault, rows counted from 0: ``instances.3.age``.
    """
    table = _table(body, most_rows(len(signature.inputs), max_rows))
    reader = row_reader(signature)
    if drops_unknown:
        table = _known_part(reader, table)
    _check_header(signature, reader, table.header)
    _check_widths(table)
    cells = dict(zip(table.header, zip(*table.rows, strict=True), strict=True))
    columns = [_column(signature, position, cells, len(table.rows)) for position in range(len(reader.names))]
    located: list[Located] = []
    return reader.read_columns(columns, located, path=PATH, n_rows=len(table.rows), table=table)


def _known_part(reader: RowReader, table: Table) -> Table:
    """Leave out what is no input; where one is missing, an unknown column is likely its misspelling, and stays to be refused."""
    if not reader.known.issubset(table.header):
        return table
    _check_widths(table)
    kept = [position for position, name in enumerate(table.header) if name in reader.known]
    return Table([table.header[at] for at in kept], [[row[at] for at in kept] for row in table.rows])


def _column(signature: Signature, position: int, cells: dict[str, tuple[str, ...]], n_rows: int) -> Values:
    source = signature.inputs[position]
    if source.name in cells:
        return typed_values(source, cells[source.name])
    return [None if source.nullable else ABSENT] * n_rows


def _table(body: bytes, max_rows: int) -> Table:
    if b"\x00" in body:
        raise _invalid("The body has a NUL character; expected CSV in UTF-8.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(f"The body is not UTF-8: byte {error.start} does not fit. Save the file as UTF-8.") from None
    lines = _lines(text, max_rows + 1)
    if not lines:
        raise _invalid("The body is empty; expected a header line and rows.", code="empty")
    if len(lines) == 1:
        raise _invalid("There are no rows below the header; expected at least one.", code="empty")
    if len(lines) > max_rows + 1:
        raise _invalid(
            f"There are more than {max_rows:,} rows, which is the most that is taken at once.", code="too_many_rows"
        )
    return Table(lines[0], lines[1:])


def _lines(text: str, most: int) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[list[str]] = []
    try:
        for line in reader:
            if line:
                lines.append(line)
            if len(lines) > most:
                break
    except csv.Error as error:
        raise _invalid(f"Line {reader.line_num} is not valid CSV: {error}.") from None
    return lines


def _check_header(signature: Signature, reader: RowReader, header: Sequence[str]) -> None:
    problems, seen = [], set()
    for name in header:
        if name in seen:
            detail = f"The column {shown(name)} came more than once; expected it once."
            problems.append(InputProblem(place(name), "duplicate_field", detail))
        elif name not in reader.known:
            code, detail = reader.unknown
            problems.append(InputProblem(place(name), code, detail + _delimiter_hint(header)))
        seen.add(name)
        if len(problems) == MAX_PROBLEMS:
            break
    for source, column in zip(signature.inputs, reader.readers, strict=True):
        if source.name not in seen and not source.nullable:
            detail = f"This column is missing; expected {column.expected} in each row."
            problems.append(InputProblem(place(source.name), "required", detail))
    if problems:
        raise InvalidInput(*problems[:MAX_PROBLEMS])


def _delimiter_hint(header: Sequence[str]) -> str:
    is_other = len(header) == 1 and any(delimiter in header[0] for delimiter in ";\t|")
    return " Columns are separated by commas." if is_other else ""


def _check_widths(table: Table) -> None:
    width = len(table.header)
    problems = [
        InputProblem(place(PATH, row), "wrong_length", f"Found {len(cells)} cells; expected {width}, as in the header.")
        for row, cells in enumerate(table.rows)
        if len(cells) != width
    ]
    if problems:
        raise InvalidInput(*problems[:MAX_PROBLEMS])


def _invalid(detail: str, *, code: str = "invalid_csv") -> InvalidInput:
    return InvalidInput(InputProblem("", code, detail))
