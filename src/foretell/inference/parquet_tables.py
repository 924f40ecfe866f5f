"""Runs inside locked children: a Parquet file to plain columns.

Security: its reader asks for whatever memory a damaged page says, and aborts the process when there is not so much. Here that is
a child of its own, whose end is an answer.
"""

import io
from typing import Any

from foretell.inference.errors import InputProblem, InvalidInput

MAX_TEXT_BYTES = 64 << 20
_MOMENT = "%Y-%m-%dT%H:%M:%S%.6f"

Payload = dict[str, Any]


def unpack_parquet(payload: Payload) -> Payload:
    """Read {"data", "names", "max_rows"}; answer {"names": all of the file's, "n_rows", "columns": those asked for, by name}.

    A column is {"kind", "dtype", "values"}; the kind is one of number, narrow (float32), bool, text, date, null and other.
    """
    import polars as pl

    try:
        file = pl.read_parquet_schema(io.BytesIO(payload["data"]))
        wanted = [name for name in payload["names"] if name in file]
        frame = pl.read_parquet(io.BytesIO(payload["data"]), columns=wanted, n_rows=payload["max_rows"] + 1)
    except (pl.exceptions.PolarsError, OSError, ValueError, OverflowError) as error:
        raise InvalidInput(
            InputProblem("", "invalid_parquet", f"The body is not a Parquet file, or a damaged one: {str(error)[:200]}")
        ) from None
    return {"names": list(file), "n_rows": frame.height, "columns": {name: _plain(frame[name]) for name in wanted}}


def _plain(series: Any) -> Payload:
    kind, values = _kind_and_values(series)
    return {"kind": kind, "dtype": str(series.dtype), "values": values}


def _kind_and_values(series: Any) -> tuple[str, list[Any]]:
    import polars as pl

    dtype = series.dtype
    if dtype == pl.Null:
        return "null", [None] * len(series)
    if dtype.is_float() or dtype.is_integer():
        return "narrow" if dtype == pl.Float32 else "number", series.to_list()
    if dtype == pl.Boolean:
        return "bool", series.to_list()
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text", _texts(series.cast(pl.String))
    if dtype == pl.Date:
        return "date", series.dt.to_string("%Y-%m-%d").to_list()
    if dtype == pl.Datetime:
        utc = series.dt.convert_time_zone("UTC") if dtype.time_zone else series
        return "date", utc.dt.to_string(_MOMENT).to_list()
    return "other", []


def _texts(series: Any) -> list[Any]:
    size = series.str.len_bytes().sum() or 0  # a text that is in the file once may be in every row
    if size > MAX_TEXT_BYTES:
        detail = f"Found {size:,} bytes of texts; at most {MAX_TEXT_BYTES:,} are taken at once."
        raise InvalidInput(InputProblem(series.name, "too_large", detail))
    texts: list[Any] = series.to_list()
    return texts
