"""Rows in the JSON forms of other people's protocols: `instances`, columns, and pandas' `split` and `records`. Parsed JSON in, typed rows out."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from foretell.inference.codec.fast_rows import fast_rows
from foretell.inference.codec.objects import row_reader
from foretell.inference.codec.parsed import ParsedRows, most_rows
from foretell.inference.codec.wording import listed, place, shown
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.named_columns import check_lengths, check_row_count, read_named_columns
from foretell.inference.signature import Signature

_SPLIT_KEYS = frozenset({"columns", "index", "data"})


class MalformedTable(InvalidInput):
    """Something that is no table at all, whatever the signature says."""


def usual_rows(signature: Signature, body: bytes) -> ParsedRows | None:
    """Return the rows of ``{"instances": […]}`` as our own API reads them, where nothing about them is unusual."""
    rows = fast_rows(signature).read(body, most_rows(len(signature.inputs)))
    return rows if rows is not None and not rows.is_single else None


def read_instances(signature: Signature, value: Any, *, path: str, drops_unknown: bool = False) -> ParsedRows:
    """Read a list of rows: objects by name, lists in the signature's order, and bare values where the model has one input.

    Parameters
    ----------
    drops_unknown
        Leave out keys that are no inputs, in rows that have all of them.
    """
    if not isinstance(value, list):
        raise malformed(path, "not_a_list", f"Found {shown(value)}; expected a list of rows.")
    check_row_count(signature, len(value), path)
    reader = row_reader(signature)
    rows = value
    if len(reader.names) == 1:
        rows = [row if isinstance(row, list | dict) else [row] for row in rows]
    if drops_unknown:
        rows = [_known_part(row, reader.names, reader.known) for row in rows]
    return reader.read(rows, path=path)


def read_columns(signature: Signature, value: Any, *, path: str, drops_unknown: bool = False) -> ParsedRows:
    """Read an object of columns, or of the values of one row; or rows, where it is a list."""
    if not isinstance(value, dict):
        row = value if isinstance(value, list) or len(signature.inputs) > 1 else [value]
        return read_instances(signature, row, path=path, drops_unknown=drops_unknown)
    columns = {name: _column(cells) for name, cells in value.items()}
    if not any(isinstance(cells, list) for cells in value.values()):
        columns = {name: [cell] for name, cell in value.items()}
    for name, cells in columns.items():
        if not isinstance(cells, list):
            raise malformed(
                place(path, name), "not_a_list", f"Found {shown(cells)}; expected a list, as the others are."
            )
    return _read_frame(signature, columns, path=path, drops_unknown=drops_unknown)


def read_records(signature: Signature, value: Any, *, path: str) -> ParsedRows:
    """Read pandas' ``records``: a list of objects. Keys that are no inputs are left out of rows that have all of them."""
    if not isinstance(value, list):
        raise malformed(path, "not_a_list", f"Found {shown(value)}; expected a list of records.")
    for position, row in enumerate(value):
        if not isinstance(row, dict):
            raise malformed(
                place(path, position), "not_an_object", f"Found {shown(row)}; expected a record, an object."
            )
    return read_instances(signature, value, path=path, drops_unknown=True)


def read_split(signature: Signature, value: Any, *, path: str) -> ParsedRows:
    """Read pandas' ``split``: names of columns, and rows of cells; the index is not looked at.

    A frame that has no names counts its columns: its rows are then in the signature's order.
    """
    if not isinstance(value, dict) or "data" not in value or not value.keys() <= _SPLIT_KEYS:
        found = f"the keys {listed(sorted(value))}" if isinstance(value, dict) else shown(value)
        raise malformed(path, "not_an_object", f"Found {found}; expected an object of columns, index and data.")
    rows = value["data"]
    if not isinstance(rows, list):
        raise malformed(place(path, "data"), "not_a_list", f"Found {shown(rows)}; expected a list of rows.")
    names = _column_names(value.get("columns"), path)
    if names is None:
        return read_instances(signature, rows, path=place(path, "data"))
    check_row_count(signature, len(rows), place(path, "data"))
    _check_widths(rows, len(names), place(path, "data"))
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return _read_frame(signature, columns, path=path, drops_unknown=True)


def malformed(attr: str, code: str, detail: str) -> MalformedTable:
    return MalformedTable(InputProblem(attr, code, detail))


def _read_frame(signature: Signature, columns: Mapping[str, Any], *, path: str, drops_unknown: bool) -> ParsedRows:
    n_rows = check_lengths(columns, path)
    return read_named_columns(signature, columns, n_rows=n_rows, path=path, drops_unknown=drops_unknown)


def _known_part(row: Any, names: tuple[str, ...], known: frozenset[str]) -> Any:
    if type(row) is dict and len(row) > len(names) and row.keys() >= known:
        return {name: row[name] for name in names}
    return row


def _column(cells: Any) -> Any:
    """Return a column; one of shape [n, 1], as a tensor may be written, as its values."""
    if isinstance(cells, list) and cells and all(isinstance(cell, list) and len(cell) == 1 for cell in cells):
        return [cell[0] for cell in cells]
    return cells


def _column_names(columns: Any, path: str) -> list[str] | None:
    at = place(path, "columns")
    if columns is None or (isinstance(columns, list) and columns and _are_counted(columns)):
        return None
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise malformed(at, "not_a_list", "Expected a list of the columns' names, which are texts.")
    if len(set(columns)) != len(columns):
        twice, _ = Counter(columns).most_common(1)[0]
        raise malformed(at, "duplicate_field", f"The column {shown(twice)} came more than once; expected it once.")
    return columns


def _are_counted(columns: list[Any]) -> bool:
    return all(type(name) is int for name in columns) and columns == list(range(len(columns)))


def _check_widths(rows: list[Any], width: int, path: str) -> None:
    for position, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            found = f"{len(row)} cells" if isinstance(row, list) else shown(row)
            raise malformed(
                place(path, position), "wrong_length", f"Found {found}; expected {width}, one for each column."
            )
