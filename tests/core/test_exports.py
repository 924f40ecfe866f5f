"""Lists as files: CSV, Excel and Parquet, by `Accept` and by `?format=`; the whole list, in its order, and nothing of anybody else's."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import openpyxl
import polars as pl
import pytest

from foretell.core.exports.csv_files import csv_chunks
from foretell.core.exports.excel_files import excel_chunks
from foretell.core.exports.parquet_files import parquet_chunks
from foretell.core.exports.tables import Column, Kind, Table
from tests.cast import House
from tests.http import HttpFor
from tests.logged import logged_prediction
from tests.registry.catalogue import listed_model, listed_version

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET = "application/vnd.apache.parquet"
MODELS = "/api/v1/models/"
AT = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
COLUMNS = (
    Column("t"),
    Column("i", Kind.INTEGER),
    Column("n", Kind.NUMBER),
    Column("at", Kind.TIME),
    Column("j", Kind.JSON),
)


def rows_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """Read an export, whichever format it has."""
    assert answer.status_code == 200, answer.text
    kind = answer.headers["Content-Type"].partition(";")[0]
    if kind == "text/csv":
        return list(csv.DictReader(io.StringIO(answer.text)))
    if kind == PARQUET:
        return pl.read_parquet(io.BytesIO(answer.content)).to_dicts()
    assert kind == EXCEL
    header, *cells = openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in cells]


@pytest.mark.parametrize("format_", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("path", [MODELS, f"{MODELS}wine/versions/", f"{MODELS}wine/aliases/", "/api/v1/predictions/"])
def test_each_list_is_there_in_each_format(acme: House, alice: httpx.Client, path: str, format_: str) -> None:
    listed_version(listed_model(acme, "wine"), acme, alias="champion", metrics={"accuracy": 0.9})
    logged_prediction(acme, by="alice", model="wine")

    answer = alice.get(path, params={"format": format_})

    (row,) = rows_of(answer)
    assert "wine" in (row.get("name"), row.get("model"))
    assert answer.headers["Content-Disposition"].endswith(f'.{format_}"')


@pytest.mark.parametrize("accept", ["text/csv", EXCEL, PARQUET])
def test_the_format_is_also_chosen_by_accept(acme: House, bob: httpx.Client, accept: str) -> None:
    listed_model(acme, "wine")

    answer = bob.get(MODELS, headers={"Accept": accept})

    assert answer.headers["Content-Type"].partition(";")[0] == accept
    assert [row["name"] for row in rows_of(answer)] == ["wine"]


def test_the_formats_parameter_goes_before_accept_and_a_format_that_is_not_there_is_406(bob: httpx.Client) -> None:
    assert (
        bob.get(f"{MODELS}?format=csv", headers={"Accept": "application/json"}).headers["Content-Type"][:8]
        == "text/csv"
    )
    answer = bob.get(f"{MODELS}?format=pdf")
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert "parquet" in answer.json()["detail"]


def test_an_export_has_all_of_the_list_filtered_and_in_its_order(acme: House, bob: httpx.Client) -> None:
    for number in range(120):
        listed_model(acme, f"m{number:03}", tags={"even": str(number % 2 == 0)})

    found = [row["name"] for row in rows_of(bob.get(f"{MODELS}?format=csv&tag.even=True&ordering=-name"))]

    assert found == [f"m{number:03}" for number in range(118, -2, -2)]


def test_an_export_shows_a_key_no_more_than_a_page_does(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    listed_model(acme, "wine")
    listed_model(acme, "hidden")
    with acme.inside():
        APIKey.objects.filter(user__username="bob").update(model_names=["wine"])

    for format_ in ("csv", "xlsx", "parquet"):
        assert [row["name"] for row in rows_of(http_for("bob").get(f"{MODELS}?format={format_}"))] == ["wine"]


def test_two_tenants_exports_at_once_stay_apart(acme: House, globex: House, http_for: HttpFor) -> None:
    for number in range(30):
        listed_model(acme, f"acme-{number}")
        listed_model(globex, f"globex-{number}", by="carol")
    found: dict[str, set[str]] = {}

    def export(person: str, format_: str) -> None:
        names = {row["name"].split("-")[0] for row in rows_of(http_for(person).get(f"{MODELS}?format={format_}"))}
        found[f"{person} {format_}"] = names

    jobs = [(person, format_) for person in ("alice", "carol") for format_ in ("csv", "parquet", "xlsx")]
    threads = [threading.Thread(target=export, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {f"{person} {format_}": {"acme" if person == "alice" else "globex"} for person, format_ in jobs}


def test_what_goes_wrong_is_a_problem_and_not_half_a_file(bob: httpx.Client) -> None:
    for format_ in ("csv", "xlsx", "parquet"):
        answer = bob.get(f"{MODELS}?format={format_}&colour=red")
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_a_change_is_not_answered_with_a_file(acme: House, erin: httpx.Client) -> None:
    answer = erin.post(MODELS, json={"name": "wine"}, headers={"Accept": "text/csv"})

    assert answer.status_code == 406
    assert erin.get(f"{MODELS}wine/").status_code == 404


def table(*rows: Sequence[Any]) -> Table:
    return Table("t", COLUMNS, iter([list(rows)]))


CELLS = ("=1+1", 3, 0.5, AT, {"a": [1]})
EMPTY = (None, None, None, None, None)


def test_a_text_is_no_formula_in_a_spreadsheet() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(excel_chunks(table(CELLS))))).active
    cells = next(iter(csv.DictReader(io.StringIO(b"".join(csv_chunks(table(CELLS))).decode()))))

    assert (sheet["A2"].data_type, sheet["A2"].value) == ("s", "=1+1")
    assert cells["t"] == "'=1+1"
    assert cells["n"] == "0.5"  # the control: a number stays one


def test_cells_keep_their_kinds_and_what_is_missing_stays_so() -> None:
    parquet = pl.read_parquet(io.BytesIO(b"".join(parquet_chunks(table(CELLS, EMPTY))))).rows()
    excel = openpyxl.load_workbook(io.BytesIO(b"".join(excel_chunks(table(CELLS, EMPTY))))).active
    plain = list(csv.reader(io.StringIO(b"".join(csv_chunks(table(CELLS, EMPTY))).decode())))

    assert parquet == [("=1+1", 3, 0.5, AT, '{"a": [1]}'), EMPTY]
    assert [cell.value for cell in excel[2]] == ["=1+1", 3, 0.5, AT.replace(tzinfo=None), '{"a": [1]}']
    assert plain[1:] == [["'=1+1", "3", "0.5", AT.isoformat(), '{"a": [1]}'], [""] * 5]


def test_a_list_longer_than_a_sheet_goes_on_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.core.exports.excel_files.ROWS_OF_A_SHEET", 2)

    book = openpyxl.load_workbook(io.BytesIO(b"".join(excel_chunks(table(*[CELLS] * 5)))))

    assert [sheet.max_row - 1 for sheet in book.worksheets] == [2, 2, 1]


@pytest.mark.parametrize("chunks", [csv_chunks, excel_chunks, parquet_chunks])
def test_what_breaks_under_way_breaks_the_file_off(chunks: Any) -> None:
    def parts() -> Iterator[list[Sequence[Any]]]:
        yield [CELLS]
        raise RuntimeError("the database went away")

    with pytest.raises(Exception, match="the database went away"):
        b"".join(chunks(Table("t", COLUMNS, parts())))


def test_who_leaves_early_ends_the_writing() -> None:
    def parts() -> Iterator[list[Sequence[Any]]]:
        while True:
            yield [(os.urandom(100).hex(), 1, 0.5, AT, None)] * 1_000

    before = threading.active_count()
    chunks = cast("Generator[bytes]", parquet_chunks(Table("t", COLUMNS, parts())))
    next(chunks)
    chunks.close()

    assert not [thread for thread in threading.enumerate() if thread.name == "parquet"]
    assert threading.active_count() <= before


MEMORY = """
import json, os, sys
from datetime import UTC, datetime
import psutil
from foretell.core.exports import parquet_files
from foretell.core.exports.csv_files import csv_chunks
from foretell.core.exports.tables import Column, Kind, Table

parquet_files.ROWS_OF_A_GROUP = 5_000
chunks = {"csv": csv_chunks, "parquet": parquet_files.parquet_chunks}[sys.argv[1]]
columns = (Column("t"), Column("i", Kind.INTEGER), Column("n", Kind.NUMBER), Column("at", Kind.TIME), Column("j", Kind.JSON))
at = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)

def more_mb(parts, keep):
    rows = ([(os.urandom(1_000).decode("latin-1"), 1, 0.5, at, None) for _ in range(1_000)] for _ in range(parts))
    process = psutil.Process()
    before = most = process.memory_info().rss
    for chunk in chunks(Table("t", columns, rows)):
        keep(chunk)
        most = max(most, process.memory_info().rss)
    return (most - before) / 1e6

more_mb(10, len)  # what it takes at all
print(json.dumps([more_mb(80, len), more_mb(80, [].append)]))
"""


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_file_takes_no_more_memory_the_longer_it_is(format_: str) -> None:
    """In a process of its own, whose memory is nobody else's. The whole of it, with a million rows of the log: benchmarks/rest_catalogue.py."""
    told = subprocess.run([sys.executable, "-c", MEMORY, format_], capture_output=True, text=True, check=True)

    streamed_mb, kept_mb = json.loads(told.stdout)
    assert streamed_mb < 60 < kept_mb  # what is kept is the control
