"""A Parquet file to typed rows. Columns have the types of the file, and are held to the signature's."""

import io
from collections.abc import Mapping
from typing import Any

from foretell.inference.codec.column_readers import Values
from foretell.inference.codec.objects import row_reader
from foretell.inference.codec.parsed import MAX_ROWS, ParsedRows
from foretell.inference.codec.wording import place
from foretell.inference.columns import has_numbers
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.json_tables import malformed
from foretell.inference.named_columns import check_names, read_named_columns
from foretell.inference.parquet_layout import require_bounded
from foretell.inference.signature import DType, Input, Signature
from foretell.inference.tensors.datatypes import DATATYPES
from foretell.inference.tensors.rows import settled

MAX_UNPACKED_BYTES = 256 << 20


def parse_parquet(signature: Signature, body: bytes, *, path: str, max_rows: int = MAX_ROWS) -> ParsedRows:
    """Read the rows of a Parquet file. Columns that are no inputs are left out, where all inputs are there.

    Raises
    ------
    MalformedTable
        for what is no such file, or would unpack to more than it may.
    InvalidInput
        has every fault in the rows.
    """
    if not body:
        raise malformed(path, "empty", "The body is empty; expected a Parquet file.")
    require_bounded(body, max_rows=max_rows, max_unpacked_bytes=MAX_UNPACKED_BYTES, path=path)
    columns, n_rows = _read(signature, body, path)
    values = {
        source.name: _values(source, columns[source.name]) for source in signature.inputs if source.name in columns
    }
    return read_named_columns(signature, values, n_rows=n_rows, path=path, max_rows=max_rows)


def _read(signature: Signature, body: bytes, path: str) -> tuple[Mapping[str, Any], int]:
    import polars as pl

    reader = row_reader(signature)
    try:
        names = list(pl.read_parquet_schema(io.BytesIO(body)))
        if not reader.known.issubset(names):
            check_names(signature, reader, names)
        frame = pl.read_parquet(io.BytesIO(body), columns=[name for name in names if name in reader.known])
    # Security: a damaged file may make the reader panic, which is no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError) as error:
        raise malformed(path, "invalid_parquet", "The body is not a Parquet file, or a damaged one.") from error
    return {name: frame[name] for name in frame.columns}, frame.height


def _values(source: Input, series: Any) -> Values:
    import polars as pl

    dtype = series.dtype
    if dtype == pl.Null:
        return [None] * len(series)
    is_number = source.dtype in (DType.FLOAT, DType.INT) or has_numbers(source)
    if is_number and (dtype.is_float() or dtype.is_integer()):
        return _numbers(source, series)
    if source.dtype is DType.BOOL and dtype == pl.Boolean:
        return list(series.to_list())
    if source.dtype is DType.DATETIME and dtype in (pl.Date, pl.Datetime):
        return [None if moment is None else moment.isoformat() for moment in series.to_list()]
    if not is_number and source.dtype is not DType.BOOL and dtype in (pl.String, pl.Categorical, pl.Enum):
        return _texts(source, series.cast(pl.String))
    detail = f"Found a column of {dtype}; expected {_expected(source, is_number=is_number)}."
    raise InvalidInput(InputProblem(place(source.name), "wrong_datatype", detail))


def _numbers(source: Input, series: Any) -> Values:
    import polars as pl

    values = [None if value != value else value for value in series.to_list()]  # NaN is not itself
    return settled(source, values, DATATYPES["FP32"]) if series.dtype == pl.Float32 else values


def _texts(source: Input, series: Any) -> Values:
    # Security: a long text that is in the file once may be in every row.
    size = series.str.len_bytes().sum() or 0
    if size > MAX_UNPACKED_BYTES:
        detail = f"Found {size:,} bytes of texts; expected at most {MAX_UNPACKED_BYTES:,}."
        raise InvalidInput(InputProblem(place(source.name), "too_large", detail))
    return list(series.to_list())


def _expected(source: Input, *, is_number: bool) -> str:
    if is_number:
        return "numbers"
    return {DType.BOOL: "booleans", DType.DATETIME: "dates, times or texts"}.get(source.dtype, "texts")
