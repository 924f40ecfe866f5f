import csv
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.inference.codec.csv_rows import parse_csv
from foretell.inference.codec.objects import parse_objects
from foretell.inference.columns import batch_to_json
from foretell.inference.errors import InvalidInput
from foretell.inference.signature import DType, Input, Signature
from tests.inference.signatures import PASSENGER, PASSENGERS, refusal_of, signature_and_rows, taking

HEADER = ",".join(PASSENGER)
AGE = taking(Input(name="age", dtype=DType.FLOAT, nullable=True), Input(name="name", dtype=DType.STRING, nullable=True))


def problems(body: bytes, signature: Signature = PASSENGERS) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        parse_csv(signature, body)
    return [(problem.attr, problem.code) for problem in refusal.value.problems]


def test_columns_come_in_any_order_and_an_empty_cell_is_missing() -> None:
    rows = parse_csv(PASSENGERS, b"alone,age,sex,pclass\r\ntrue,,male,3\r\nFalse,0.5,female,1.0\r\n")

    assert not rows.is_single
    assert rows.batch.columns["pclass"].tolist() == [3, 1]
    assert np.isnan(rows.batch.columns["age"][0])
    assert rows.batch.columns["alone"].tolist() == [True, False]
    assert rows.batch.columns["boarded"].dtype == np.dtype("datetime64[us]")


def test_quotes_line_breaks_and_a_byte_order_mark_are_read_as_rfc_4180_and_excel_write_them() -> None:
    rows = parse_csv(AGE, b'\xef\xbb\xbfage,name\r\n1,"Cumings, ""Mrs"" \r\nJohn"\r\n')

    assert rows.batch.columns["name"].tolist() == ['Cumings, "Mrs" \r\nJohn']


@pytest.mark.parametrize(
    "spelling", ["1_0", "nan", "inf", "0x10", "1,5", "\u0661", "1e", "--1", "1 2", "True", "1e999"]
)
def test_what_is_no_plain_number_is_refused(spelling: str) -> None:
    ((attr, code),) = problems(f'age\r\n1\r\n"{spelling}"\r\n'.encode(), AGE)

    assert (attr, code) in [("instances.1.age", "not_a_number"), ("instances.1.age", "not_finite")]


@pytest.mark.parametrize(
    ("spelling", "number"), [("+1", 1.0), (" 1.50 ", 1.5), ("1e3", 1_000.0), (".5", 0.5), ("5.", 5.0)]
)
def test_a_number_may_be_spelt_in_any_plain_way(spelling: str, number: float) -> None:
    assert parse_csv(AGE, f"age\n{spelling}\n".encode()).batch.columns["age"].tolist() == [number]


def test_an_integer_that_float64_does_not_hold_is_refused_as_in_json() -> None:
    assert problems(b"age\n9007199254740993\n", AGE) == [("instances.0.age", "too_large")]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", [("", "empty")]),
        (b"age,name\n", [("", "empty")]),
        (b"age,name\n\n\n", [("", "empty")]),
        (b"age,age\n1,2\n", [("age", "duplicate_field")]),
        (b"age,height\n1,2\n", [("height", "unknown_field")]),
        (b"age;name\n1;x\n", [("age;name", "unknown_field")]),
        (b"age,name\n1\n1,x,y\n", [("instances.0", "wrong_length"), ("instances.1", "wrong_length")]),
        (b'age,name\n1,"x\n', [("", "invalid_csv")]),
        (b'age,name\n1,"x"y\n', [("", "invalid_csv")]),
        (b"age,name\n1,\xff\n", [("", "invalid_csv")]),
        (b"age,name\n1,\x00\n", [("", "invalid_csv")]),
        (b"name\n" + b"x" * 200_000, [("", "invalid_csv")]),
    ],
)  # fmt: skip
def test_a_body_that_is_no_table_of_the_inputs_is_refused(body: bytes, found: list[tuple[str, str]]) -> None:
    assert problems(body, AGE) == found


def test_a_missing_column_is_told_once_and_not_in_each_row() -> None:
    assert problems(b"sex,alone\n" + b"male,true\n" * 50) == [("pclass", "required")]


def test_faults_have_the_places_that_json_has() -> None:
    body = f"{HEADER}\n1,female,29,S,B5,,true,2\n1,x,old,S,B5,no,maybe,9\n".encode()

    assert problems(body) == [
        ("instances.1.sex", "not_a_choice"),
        ("instances.1.age", "not_a_number"),
        ("instances.1.boarded", "not_a_datetime"),
        ("instances.1.alone", "not_a_boolean"),
        ("instances.1.deck", "not_a_choice"),
    ]


def test_more_rows_than_the_limit_are_refused() -> None:
    assert parse_csv(AGE, b"age\n1\n2\n", max_rows=2).batch.n_rows == 2
    with pytest.raises(InvalidInput, match="more than 1 row"):
        parse_csv(AGE, b"age\n1\n2\n", max_rows=1)


def test_a_header_of_very_many_columns_is_refused_at_once() -> None:
    body = ",".join(f"x{position}" for position in range(100_000)).encode() + b"\n1\n"

    assert len(problems(body)) == 100


@given(signature_and_rows())
def test_any_table_that_fits_gives_the_rows_that_json_gives(found: tuple[Signature, list[dict[str, Any]]]) -> None:
    signature, rows = found
    names = [source.name for source in signature.inputs]
    if any(row[name] == "" for row in rows for name in names):
        return  # CSV knows no empty text: an empty cell is a missing value

    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows([_spelt(row[name]) for name in names] for row in rows)

    from_csv = parse_csv(signature, file.getvalue().encode())
    assert batch_to_json(from_csv.batch) == batch_to_json(parse_objects(signature, rows).batch)


def _spelt(value: Any) -> str:
    return "" if value is None else str(value)


@given(
    st.binary()
    | st.text().map(lambda text: text.encode("utf-8", "replace"))
    | st.lists(st.lists(st.text(max_size=5), max_size=9)).map(
        lambda rows: (HEADER + "\n" + "\n".join(",".join(row) for row in rows)).encode("utf-8", "replace")
    )
)
def test_any_bytes_are_rows_or_refused(body: bytes) -> None:
    refusal = refusal_of(parse_csv, PASSENGERS, body)

    assert refusal is None or all(problem.code and problem.detail for problem in refusal.problems)
