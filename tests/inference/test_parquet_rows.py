"""Parquet files are unpacked in a locked child, and are held to the signature as everything else."""

import io
import subprocess
import sys
from typing import Any

import msgspec
import polars as pl
import pytest

from foretell.inference.codec.parsed import ParsedRows
from foretell.inference.errors import InvalidInput, JobCrashed, SandboxIncomplete
from foretell.inference.json_tables import MalformedTable
from foretell.inference.parquet_child import LAYERS
from foretell.inference.parquet_rows import _checked, table_rows, unpack_table
from foretell.inference.parquet_tables import unpack_parquet
from foretell.inference.sandbox import layers
from foretell.inference.sandbox.environment import clean_environment
from foretell.inference.signature import DType, Input, Signature
from tests.inference.signatures import taking

X = Input(name="x", dtype=DType.FLOAT)
S = Input(name="s", dtype=DType.STRING)


needs_locks = pytest.mark.skipif(
    any(not layer.available for layer in layers() if layer.name in LAYERS), reason="this machine cannot lock a process"
)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpack in this process: files of our own, whose types are what is tested."""
    monkeypatch.setattr("foretell.inference.parquet_rows.run_child", unpack_parquet)


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(columns).write_parquet(file, **options)
    return file.getvalue()


def rows(signature: Signature, body: bytes) -> ParsedRows:
    return table_rows(signature, unpack_table(body, signature), path="dataframe")


def column(source: Input, values: Any) -> list[Any]:
    read: list[Any] = rows(taking(source), parquet({source.name: values})).batch.columns[source.name].tolist()
    return read


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        (X, [1.5, 2.0], [1.5, 2.0]),
        (X, pl.Series([1, 2], dtype=pl.Int8), [1.0, 2.0]),
        (Input(name="n", dtype=DType.INT), [3.0], [3]),
        (Input(name="b", dtype=DType.BOOL), [True, False], [True, False]),
        (S, ["a", ""], ["a", ""]),
        (S, pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (Input(name="s", dtype=DType.STRING, nullable=True), pl.Series([None, None], dtype=pl.Null), [None, None]),
        (Input(name="c", dtype=DType.CATEGORY, categories=(0.1, 0.7)), pl.Series([0.7], dtype=pl.Float32), [0.7]),
    ],
)
def test_columns_are_read_by_the_signature(source: Input, values: Any, expected: list[Any]) -> None:
    assert column(source, values) == expected


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_dates_and_times_are_utc(zone: str | None) -> None:
    moments = pl.Series(["2024-07-01T12:30:00"]).str.to_datetime().dt.replace_time_zone(zone)
    source = Input(name="d", dtype=DType.DATETIME)

    assert column(source, moments)[0].hour == (10 if zone == "Europe/Berlin" else 12)
    assert str(column(source, moments.dt.date())[0]) == "2024-07-01 00:00:00"


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize(
    ("source", "values"),
    [
        (X, ["1.5"]),
        (X, [True]),
        (X, [None]),
        (X, [float("nan")]),
        (X, [float("inf")]),
        (X, [[1.0]]),
        (X, [b"\0"]),
        (X, pl.Series(["1.5"]).cast(pl.Decimal(10, 2))),
        (Input(name="b", dtype=DType.BOOL), [1]),
        (S, [1]),
        (S, [b"bytes"]),
        (Input(name="n", dtype=DType.INT), [3.5]),
        (Input(name="n", dtype=DType.INT), [2**60]),
    ],
)
def test_nothing_is_coerced(source: Input, values: Any) -> None:
    with pytest.raises(InvalidInput):
        column(source, values)


@pytest.mark.usefixtures("unlocked")
def test_columns_that_are_no_inputs_are_left_out_where_all_inputs_are_there() -> None:
    read = rows(taking(X), parquet({"y": [[1], [2]], "x": [1.0, 2.0]}))

    assert read.batch.columns["x"].tolist() == [1.0, 2.0]


@pytest.mark.usefixtures("unlocked")
def test_a_misspelt_column_is_not_left_out() -> None:
    source = Input(name="x", dtype=DType.FLOAT, nullable=True)

    with pytest.raises(InvalidInput, match="X: This input is not known"):
        rows(taking(source), parquet({"X": [1.0], "other": [2.0]}))


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("n_rows", [0, 100_001])
def test_no_rows_and_too_many_are_refused(n_rows: int) -> None:
    with pytest.raises(InvalidInput):
        rows(taking(X), parquet({"x": pl.Series([0.0] * n_rows, dtype=pl.Float64)}))


@pytest.mark.usefixtures("unlocked")
def test_a_long_text_in_every_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.inference.parquet_tables.MAX_TEXT_BYTES", 1 << 20)

    with pytest.raises(InvalidInput, match="bytes of texts"):
        column(S, ["x" * 50_000] * 100)


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("body", [b"", b"PAR1", b"PAR1" + b"\xff" * 64 + b"PAR1", b"a,b\n1,2\n"])
def test_what_is_no_parquet_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        rows(taking(X), body)


# --- in the locked child ---


@needs_locks
def test_a_locked_child_reads_what_this_process_would(monkeypatch: pytest.MonkeyPatch) -> None:
    day = pl.Series(["2024-07-01"] * 2).str.to_date()
    body = parquet({"x": [1.5, 2.5], "s": ["a", "größer"], "d": day}, compression="zstd")
    signature = taking(X, S, Input(name="d", dtype=DType.DATETIME))

    there = rows(signature, body)
    monkeypatch.setattr("foretell.inference.parquet_rows.run_child", unpack_parquet)
    here = rows(signature, body)

    assert {name: values.tolist() for name, values in there.batch.columns.items()} == {
        name: values.tolist() for name, values in here.batch.columns.items()
    }


@needs_locks
def test_a_file_that_aborts_its_reader_harms_nobody() -> None:
    """The control is known: in this very process, such a byte ends the interpreter."""
    whole = parquet({"x": [float(number) for number in range(20)], "s": ["word"] * 20})
    damaged = whole[:14] + bytes([whole[14] ^ 0x41]) + whole[15:]

    with pytest.raises(MalformedTable, match="not a Parquet file") as refusal:
        rows(taking(X, S), damaged)

    assert refusal.value.problems[0].code == "invalid_parquet"


@needs_locks
def test_a_child_has_no_secrets_and_reads_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret")
    probe = (
        "import os; from foretell.inference import parquet_child as child;"
        "child.unpack_parquet = lambda request: {'secrets': 'SECRET_KEY' in os.environ, 'files': open('/etc/hostname').read()};"
        "child.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        input=msgspec.msgpack.encode({}),
        env=clean_environment(),
        capture_output=True,
        check=True,
    )

    assert "PermissionError" in msgspec.msgpack.decode(done.stdout)["error"]["message"]
    assert "SECRET_KEY" not in clean_environment()


def test_where_no_process_can_be_locked_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.inference.parquet_rows.subprocess.run", answering({"missing": "landlock: none"}))

    with pytest.raises(SandboxIncomplete, match="Send CSV or JSON"):
        unpack_table(b"PAR1", taking(X))


@pytest.mark.parametrize("answer", [{}, {"ok": 1}, {"error": 1}, [], None])
def test_whatever_a_child_says_it_is_the_files_fault(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    monkeypatch.setattr("foretell.inference.parquet_rows.subprocess.run", answering(answer))

    with pytest.raises(MalformedTable):
        unpack_table(b"PAR1", taking(X))


def answering(answer: Any) -> Any:
    return lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=msgspec.msgpack.encode(answer))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"names": ["x"], "n_rows": -1, "columns": {}},
        {"names": [1], "n_rows": 1, "columns": {}},
        {"names": ["x"], "n_rows": 1, "columns": {"y": {"kind": "number", "dtype": "", "values": [1]}}},
        {"names": ["x"], "n_rows": 2, "columns": {"x": {"kind": "number", "dtype": "", "values": [1]}}},
        {"names": ["x"], "n_rows": 1, "columns": {"x": {"kind": 1, "dtype": "", "values": [1]}}},
        {"names": ["x"], "n_rows": 1, "columns": {"x": [1]}},
    ],
)
def test_a_childs_answer_is_not_believed(answer: dict[str, Any]) -> None:
    with pytest.raises(JobCrashed):
        _checked(answer, ["x"])
