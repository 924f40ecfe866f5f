"""A sample that came as CSV, which does not say what its cells are: read as the estimator learnt them. Needs pandas."""

import io
from collections.abc import Iterator
from typing import Any

from foretell.inference.errors import SampleMismatch
from foretell.inference.inferring.facts import Facts, Takes, column_facts

_LOOKED_AT = 1_000  # cells of a column that tell whether it holds dates


def csv_table(data: bytes) -> Any:
    """Return the cells as pandas takes them: what looks like a number is one.

    Raises
    ------
    SampleMismatch
        where the bytes are no table, or one without rows.
    """
    import pandas as pd

    try:
        table = pd.read_csv(io.BytesIO(data))
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise SampleMismatch(
            f"The sample is no CSV table: {error}. Send a header line and a line per row, comma-separated, in UTF-8."
        ) from None
    if table.empty:
        raise SampleMismatch("The sample has no rows. Send a header line and at least one row.")
    return table


def readings(data: bytes, estimator: Any, target: str | None) -> Iterator[Any]:
    """Yield the table as the estimator learnt it; then, where there are dates, once more with these as dates.

    Words come first: of a column that its own code looks into, an estimator does not say which it takes.
    """
    table = csv_table(data)
    facts = _known_facts(estimator, [name for name in table.columns if name != target])
    words = {name: known for name, known in facts.items() if known.takes in (Takes.WORDS, Takes.TEXT)}
    table = _with_words(table, data, words)
    yield table
    silent = [name for name in table.columns if name != target and name not in words]
    if dates := [name for name in silent if _are_dates(table[name])]:
        yield table.assign(**{name: _as_dates(table[name]) for name in dates})


def _known_facts(estimator: Any, columns: list[str]) -> dict[str, Facts]:
    """Return what the estimator says of the columns, where it is known which of its columns they are."""
    fitted = getattr(estimator, "feature_names_in_", None)
    names = columns if fitted is None else [str(name) for name in fitted]
    width = getattr(estimator, "n_features_in_", 1)
    if len(names) != width:
        return {}
    known = dict(zip(names, column_facts(estimator, names), strict=True))
    return {name: known[name] for name in columns if name in known}


def _with_words(table: Any, data: bytes, words: dict[str, Facts]) -> Any:
    """Take cells as they are where words were learnt: 01 is no 1 there, and NA may be one of them."""
    import pandas as pd

    if not words:
        return table
    cells = pd.read_csv(io.BytesIO(data), usecols=list(words), dtype=str, keep_default_na=False)
    return table.assign(
        **{
            name: cells[name].where(table[name].notna() | cells[name].isin(known.categories))
            for name, known in words.items()
        }
    )


def _are_dates(column: Any) -> bool:
    from pandas.api.types import is_numeric_dtype

    if is_numeric_dtype(column):
        return False
    present = column.dropna().iloc[:_LOOKED_AT]
    return len(present) > 0 and bool(_as_dates(present).notna().all())


def _as_dates(column: Any) -> Any:
    """Return moments in UTC without a zone, as an estimator is asked with."""
    import pandas as pd

    return pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
