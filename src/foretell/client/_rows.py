"""Rows as a program has them, dicts, lists, a DataFrame of any library, as the JSON that the server takes.

Knows no data-frame library and no numpy: it asks the objects for what they can do.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from foretell.client._errors import InvalidArgument


def request_body(rows: Any) -> bytes:
    """Return the body of a prediction: one row as an object, several as {"instances": […]}.

    Parameters
    ----------
    rows
        One row: a mapping, or a pandas Series. Several: a DataFrame of pandas or polars, a two-dimensional array, or an
        iterable of mappings or of sequences in the order of the signature. NaN, NaT and None are missing values.
    """
    found = _plain_rows(rows)
    return as_json(found if isinstance(found, dict) else {"instances": found})


def as_json(value: Any) -> bytes:
    """Write JSON as the server reads it.

    Raises
    ------
    InvalidArgument
        names a value that JSON has no word for.
    """
    try:
        return json.dumps(_plain(value), allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise InvalidArgument("A text holds half of a character (a lone surrogate), which no JSON can carry.") from None
    except ValueError:
        raise InvalidArgument("Infinity is no number in JSON. Leave the value out, or give a finite one.") from None


def _plain_rows(rows: Any) -> Any:
    if isinstance(rows, Mapping):
        return dict(rows)
    if hasattr(rows, "to_dicts"):  # polars.DataFrame
        return rows.to_dicts()
    if hasattr(rows, "to_dict"):  # pandas: a DataFrame has columns, a Series is one row
        return rows.to_dict(orient="records") if hasattr(rows, "columns") else rows.to_dict()
    if hasattr(rows, "tolist"):  # an array
        rows = rows.tolist()
    if isinstance(rows, (str, bytes)) or not isinstance(rows, Iterable):
        raise InvalidArgument(f"Found {type(rows).__name__}; expected a row (a dict), a list of rows, or a data frame.")
    return [_row(row) for row in rows]


def _row(row: Any) -> Any:
    if hasattr(row, "to_dict"):
        return row.to_dict()
    if hasattr(row, "tolist"):
        row = row.tolist()
    if isinstance(row, Mapping):
        return dict(row)
    if isinstance(row, (list, tuple)):
        return list(row)
    raise InvalidArgument(
        f"Found {type(row).__name__} where a row was expected. One row is a dict, {{'age': 29}}; several are a list of them."
    )


def _plain(value: Any) -> Any:
    """Return what `json` knows: numpy's and pandas' scalars are unwrapped, what is missing becomes null."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, float):
        return None if value != value else float(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return _unwrapped(value)


def _unwrapped(value: Any) -> Any:
    if hasattr(value, "item"):
        inner = value.item()
        if type(inner) is not type(value):
            return _plain(inner)
    raise InvalidArgument(
        f"{value!r:.80} ({type(value).__name__}) has no form in JSON. Send numbers, texts, booleans, dates or None."
    )
