"""A Parquet file to typed rows. A locked child opens it (`parquet_child`); what that child says is held to the signature here."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from foretell.inference.codec.column_readers import Values
from foretell.inference.codec.objects import row_reader
from foretell.inference.codec.parsed import ParsedRows, most_rows
from foretell.inference.codec.wording import place, sendable
from foretell.inference.columns import has_numbers
from foretell.inference.errors import InputProblem, InvalidInput, JobCrashed, JobTimedOut, SandboxIncomplete
from foretell.inference.json_tables import malformed
from foretell.inference.named_columns import check_names, read_named_columns
from foretell.inference.parquet_child import LIMITS
from foretell.inference.sandbox.environment import clean_environment
from foretell.inference.sandbox.failures import revive
from foretell.inference.signature import DType, Input, Signature
from foretell.inference.tensors.datatypes import DATATYPES
from foretell.inference.tensors.rows import settled

_NUMBERS = ("number", "narrow")


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a file, as the child read it; the values are its word, and not checked yet."""

    kind: str
    dtype: str
    values: list[Any]


@dataclass(frozen=True, slots=True)
class UnpackedTable:
    """The columns of a file that are inputs, and the names of all."""

    names: tuple[str, ...]
    n_rows: int
    columns: Mapping[str, TableColumn]


def unpack_table(body: bytes, signature: Signature) -> UnpackedTable:
    """Read a file's columns in a locked process of its own; takes a third of a second.

    Raises
    ------
    MalformedTable, InvalidInput
        for what is no such file, or takes more than a table may.
    SandboxIncomplete
        where this machine cannot lock a process.
    """
    if not body:
        raise malformed("", "empty", "The body is empty; expected a Parquet file.")
    names = [source.name for source in signature.inputs]
    try:
        return _checked(run_child({"data": body, "names": names, "max_rows": most_rows(len(names))}), names)
    except (JobCrashed, JobTimedOut) as error:
        detail = f"The body is not a Parquet file, or one that takes more than a table may: {error.message}"
        raise malformed("", "invalid_parquet", detail) from error


def run_child(request: dict[str, Any]) -> dict[str, Any]:
    """Return what the child answers.

    Raises
    ------
    InvalidInput
        what the child says of the file.
    JobCrashed, JobTimedOut, SandboxIncomplete
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "foretell.inference.parquet_child"], input=msgspec.msgpack.encode(request),
            env=clean_environment(), cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=LIMITS.wall_s,
            check=False,
        )  # fmt: skip
        answer = msgspec.msgpack.decode(done.stdout) if done.stdout else {}
    except subprocess.TimeoutExpired:
        raise JobTimedOut(f"It was not read within {LIMITS.wall_s:g} s.") from None
    except msgspec.DecodeError as error:
        raise JobCrashed("Its reader crashed.") from error
    return _said(answer)


def _said(answer: Any) -> dict[str, Any]:
    if isinstance(answer, dict) and "missing" in answer:
        missing = sendable(str(answer["missing"]))
        raise SandboxIncomplete(
            f"Parquet is read in a locked process, which this machine cannot make ({missing}). Send CSV or JSON."
        )
    if isinstance(answer, dict) and "error" in answer:
        raise revive(answer["error"])
    result = answer.get("ok") if isinstance(answer, dict) else None
    if not isinstance(result, dict):
        raise JobCrashed("Its reader crashed.")
    return result


def table_rows(signature: Signature, table: UnpackedTable, *, path: str) -> ParsedRows:
    """Return the rows of a table. Columns that are no inputs are left out, where all inputs are there.

    Raises
    ------
    InvalidInput
        has every fault in the rows.
    """
    reader = row_reader(signature)
    if not reader.known.issubset(table.names):
        check_names(signature, reader, table.names)
    columns = {
        source.name: _values(source, table.columns[source.name])
        for source in signature.inputs
        if source.name in table.columns
    }
    return read_named_columns(signature, columns, n_rows=table.n_rows, path=path)


def _checked(answer: Mapping[str, Any], wanted: Sequence[str]) -> UnpackedTable:
    """Security: the child may be the file's by now. Whatever it says has the right form, or it crashed."""
    names, n_rows, columns = answer.get("names"), answer.get("n_rows"), answer.get("columns")
    if (
        not isinstance(names, list)
        or not all(isinstance(name, str) for name in names)
        or type(n_rows) is not int
        or n_rows < 0
        or not isinstance(columns, dict)
        or not columns.keys() <= set(wanted) & set(names)
    ):
        raise JobCrashed("The locked child's answer is broken.")
    return UnpackedTable(tuple(names), n_rows, {name: _column(column, n_rows) for name, column in columns.items()})


def _column(column: Any, n_rows: int) -> TableColumn:
    if not isinstance(column, dict):
        raise JobCrashed("The locked child's answer is broken.")
    kind, dtype, values = column.get("kind"), column.get("dtype"), column.get("values")
    if not isinstance(kind, str) or not isinstance(dtype, str) or not isinstance(values, list):
        raise JobCrashed("The locked child's answer is broken.")
    if len(values) != n_rows and kind != "other":
        raise JobCrashed("The locked child's answer is broken.")
    return TableColumn(kind, sendable(dtype[:80]), values)


def _values(source: Input, column: TableColumn) -> Values:
    if column.kind != "null" and column.kind not in _kinds_of(source):
        detail = f"Found a column of {column.dtype}; expected {_expected(source)}."
        raise InvalidInput(InputProblem(place(source.name), "wrong_datatype", detail))
    if column.kind not in _NUMBERS:
        return column.values
    # NaN is a missing value, as in every data frame; it alone is not itself.
    values = [None if value != value else value for value in column.values]
    return settled(source, values, DATATYPES["FP32"]) if column.kind == "narrow" else values


def _kinds_of(source: Input) -> tuple[str, ...]:
    if source.dtype in (DType.FLOAT, DType.INT) or has_numbers(source):
        return _NUMBERS
    return {DType.BOOL: ("bool",), DType.DATETIME: ("date", "text")}.get(source.dtype, ("text",))


def _expected(source: Input) -> str:
    return {"number": "numbers", "bool": "booleans", "date": "dates, times or texts"}.get(_kinds_of(source)[0], "texts")
