"""Whole columns by name, as tensors, data frames and Parquet have them, to typed rows."""

from collections.abc import Mapping, Sequence, Sized

from foretell.inference.codec.column_readers import ABSENT, Values
from foretell.inference.codec.objects import RowReader, row_reader
from foretell.inference.codec.parsed import MAX_PROBLEMS, ParsedRows, most_rows
from foretell.inference.codec.wording import place
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.signature import Signature


def read_named_columns(
    signature: Signature,
    columns: Mapping[str, Values],
    *,
    n_rows: int,
    path: str,
    drops_unknown: bool = False,
) -> ParsedRows:
    """Check columns of equal lengths, in any order; an input that may be missing may be left out.

    Parameters
    ----------
    path
        Where the rows are, in the words of the protocol: the places of faults begin with it.
    drops_unknown
        Leave out columns that are no inputs, where all inputs are there. Where one is missing, an unknown column is likely
        its misspelling, and never dropped.

    Raises
    ------
    InvalidInput
        has every fault: unknown and missing columns by their names, values at ``<path>.<row>.<input>``.
    """
    reader = row_reader(signature)
    check_row_count(signature, n_rows, path)
    if not (drops_unknown and reader.known <= columns.keys()):
        check_names(signature, reader, tuple(columns))
    values: list[Values] = [
        columns[source.name] if source.name in columns else [None if source.nullable else ABSENT] * n_rows
        for source in signature.inputs
    ]
    return reader.read_columns(values, [], path=path, n_rows=n_rows)


def check_row_count(signature: Signature, n_rows: int, path: str) -> None:
    """Refuse no rows, and more than are taken at once."""
    if n_rows == 0:
        raise InvalidInput(InputProblem(path, "empty", "There are no rows; expected at least one."))
    max_rows = most_rows(len(signature.inputs))
    if n_rows > max_rows:
        detail = f"Found {n_rows:,} rows; at most {max_rows:,} are taken at once."
        raise InvalidInput(InputProblem(path, "too_many_rows", detail))


def check_names(signature: Signature, reader: RowReader, names: Sequence[str]) -> None:
    """Refuse columns that are no inputs, and inputs without a column."""
    given = frozenset(names)
    problems = [InputProblem(place(name), *reader.unknown) for name in names if name not in reader.known]
    for source, column in zip(signature.inputs, reader.readers, strict=True):
        if source.name not in given and not source.nullable:
            detail = f"This input is missing; expected {column.expected} in each row."
            problems.append(InputProblem(place(source.name), "required", detail))
    if problems:
        raise InvalidInput(*problems[:MAX_PROBLEMS])


def check_lengths(columns: Mapping[str, Sized], path: str) -> int:
    """Return how many rows there are: as many as every column has values."""
    lengths = {name: len(values) for name, values in columns.items()}
    expected = next(iter(lengths.values()), 0)
    for name, length in lengths.items():
        if length != expected:
            first = next(iter(lengths))
            detail = f"Found {length:,} values; expected {expected:,}, as in {first!r:.80}."
            raise InvalidInput(InputProblem(place(path, name), "wrong_length", detail))
    return expected
