"""The author's sample, in whatever form: as a pandas table for the conversion, and as CSV for the server."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foretell.publishing.errors import CannotPush, MissingExtra

MAX_SAMPLE_BYTES = 64 << 20  # what a server takes; a few thousand rows are enough


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows like those of training; `csv` is what travels."""

    table: Any  #: pandas.DataFrame; None while nobody needs one
    csv: bytes


def read_sample(sample: Any) -> Sample | None:
    """Take a path to a CSV file, a DataFrame of pandas or polars, an array, or rows as mappings.

    Raises
    ------
    CannotPush
        says what was found and what is possible.
    """
    if sample is None:
        return None
    read = _of_file(Path(sample)) if isinstance(sample, (str, Path)) else _of_table(as_table(sample))
    if len(read.csv) > MAX_SAMPLE_BYTES:
        raise CannotPush(
            f"The sample has {len(read.csv):,} bytes as CSV; a server takes {MAX_SAMPLE_BYTES:,}. A few thousand rows of it are enough: sample=table.sample(5000)."
        )
    return read


def table_of(sample: Sample | None) -> Any:
    """Return the sample as a conversion in this process takes it: a pandas table, or the CSV of a file."""
    if sample is None:
        return None
    return sample.csv if sample.table is None else sample.table


def as_table(rows: Any) -> Any:
    pd = _pandas()
    if isinstance(rows, pd.DataFrame):
        return _flat(rows)
    if hasattr(rows, "to_dicts"):  # polars
        return pd.DataFrame(rows.to_dicts(), columns=list(rows.columns))
    if getattr(rows, "ndim", 0) == 2 and not hasattr(rows, "toarray"):  # not sparse; named as a model without names is
        return pd.DataFrame(rows, columns=[f"x{position}" for position in range(rows.shape[1])])
    if isinstance(rows, (list, tuple)) and rows and all(isinstance(row, Mapping) for row in rows):
        return pd.DataFrame(rows)
    raise CannotPush(
        f"The sample is a {type(rows).__name__}; expected a DataFrame, a two-dimensional array, a list of dicts, or the path of a CSV file."
    )


def _flat(table: Any) -> Any:
    if table.columns.nlevels > 1:
        raise CannotPush(
            f"The sample's columns have {table.columns.nlevels} levels; an input has one name. "
            "Join them: sample.columns = ['_'.join(map(str, names)) for names in sample.columns]."
        )
    return table


def _pandas() -> Any:
    try:
        import pandas as pd
    except ModuleNotFoundError as err:
        raise MissingExtra("pandas") from err
    return pd


def _of_file(path: Path) -> Sample:
    try:
        return Sample(None, path.read_bytes())
    except OSError as err:
        raise CannotPush(f"The sample {path} cannot be read: {err.strerror}.") from None


def _of_table(table: Any) -> Sample:
    return Sample(table, table.to_csv(index=False).encode())
