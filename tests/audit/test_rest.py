"""The audit is read by those who may, page by page, narrowed, and as a file."""

import csv
import io
import json
from typing import Any

import httpx
import pytest
from django.db import transaction

from foretell.audit.content import content_digest, link_digest
from foretell.audit.models import Entry
from foretell.audit.recording import record
from tests.cast import House
from tests.http import HttpFor

AUDIT = "/api/v1/audit/"


def changes(house: House, count: int, *, target: str) -> None:
    for number in range(count):
        with house.inside(), transaction.atomic():
            record(action="model.changed", target=("model", target), after={"description": f"number {number}"})


def results(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    answer = client.get(AUDIT, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_a_row_is_shown_with_all_that_it_says(acme: House, alice: httpx.Client) -> None:
    alice.post("/api/v1/models/", json={"name": "wine", "description": "red"})

    shown = results(alice, target="wine", action="model.created")[0]

    assert shown["target"] == {"kind": "model", "id": "wine", "name": ""}
    assert (shown["before"], shown["after"]) == (None, {"description": "red", "tags": {}})
    assert shown["actor"] == {"id": str(acme.user("alice").pk), "name": "alice"}
    assert shown["credential"] == {"kind": "key", "id": acme.people["alice"].key_id}
    assert (shown["face"], shown["address"]) == ("rest", "127.0.0.1")
    assert alice.get(shown["url"]).json() == shown


def test_pages_go_on_where_they_ended_whatever_is_written_meanwhile(acme: House, alice: httpx.Client) -> None:
    changes(acme, 5, target="paged")
    first = alice.get(AUDIT, params={"target": "paged", "page_size": 3}).json()
    changes(acme, 2, target="paged")

    second = alice.get(first["next"]).json()

    said = [row["after"]["description"] for row in [*first["results"], *second["results"]]][:5]
    assert said == [f"number {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    "params",
    [
        {"action": "model.changed"}, {"action": "model."}, {"target_kind": "model"}, {"actor": "system"}, {"credential": "none"},
        {"face": "code"}, {"at__gte": "2020-01-01T00:00:00Z"}, {"at__lt": "2100-01-01"}, {"search": "narrowed model"},
    ],
)  # fmt: skip
def test_it_is_narrowed_by(acme: House, alice: httpx.Client, params: dict[str, str]) -> None:
    changes(acme, 1, target="narrowed")

    assert results(alice, target="narrowed", **params)


@pytest.mark.parametrize(
    "params",
    [
        {"action": "model.created"}, {"action": "model"}, {"target_kind": "alias"}, {"actor": "alice"}, {"credential": "key"},
        {"face": "page"}, {"at__gte": "2100-01-01T00:00:00Z"}, {"at__lt": "2020-01-01"}, {"search": "narrower"}, {"address": "x"},
        {"request_id": "x"}, {"credential_id": "x"},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_left_out(acme: House, alice: httpx.Client, params: dict[str, str]) -> None:
    changes(acme, 1, target="narrowed")

    assert results(alice, target="narrowed", **params) == []


@pytest.mark.parametrize(
    ("params", "attr"),
    [
        ({"who": "x"}, "who"), ({"at__gte": "yesterday"}, "at__gte"), ({"face": "hat"}, "face"), ({"ordering": "at"}, "ordering"),
        ({"page_size": "9999"}, "page_size"),
    ],
)  # fmt: skip
def test_what_nobody_knows_is_refused_by_name(alice: httpx.Client, params: dict[str, str], attr: str) -> None:
    answer = alice.get(AUDIT, params=params)

    assert answer.status_code == 400
    assert attr in [error["attr"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("cursor", ["x", "cD14", "cD0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_cursor_that_was_made_up_is_not_found(alice: httpx.Client, cursor: str) -> None:
    assert alice.get(AUDIT, params={"cursor": cursor}).status_code == 404


def test_json_lines_hold_all_that_it_takes_to_check_the_chain_elsewhere(acme: House, alice: httpx.Client) -> None:
    changes(acme, 3, target="exported")

    answer = alice.get(AUDIT, params={"format": "jsonl"})

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    previous = lines[0]["previous_digest"]
    for line in lines:
        assert line["previous_digest"] == previous
        previous = link_digest(
            position=line["position"], previous=previous, content=line["content_digest"], seal=line["seal"]
        )
        assert line["digest"] == previous
        assert content_digest(_row(line)) == line["content_digest"]


def test_csv_is_a_table_of_what_was_asked_for(acme: House, alice: httpx.Client) -> None:
    changes(acme, 3, target="tabled")

    answer = alice.get(AUDIT, params={"target": "tabled", "format": "csv"})

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert [json.loads(row["after"])["description"] for row in rows][-3:] == ["number 0", "number 1", "number 2"]
    assert {row["target_id"] for row in rows} == {"tabled"}


def test_a_list_takes_as_many_queries_whatever_its_length(acme: House, alice: httpx.Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    changes(acme, 60, target="long")
    counts = []
    for size in (1, 50):
        with CaptureQueriesContext(connection) as queries:
            alice.get(AUDIT, params={"target": "long", "page_size": size})
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_key_that_is_limited_to_a_model_does_not_read_what_is_of_all(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    with acme.inside():
        APIKey.objects.filter(pk=acme.people["alice"].key_id).update(model_names=["wine"])

    answer = http_for("alice").get(AUDIT)

    assert answer.status_code == 403
    assert "limited to some models" in answer.json()["detail"]


def test_another_tenants_rows_are_not_there(acme: House, http_for: HttpFor) -> None:
    changes(acme, 1, target="secret-of-acme")

    carol = http_for("carol")

    assert results(carol, target="secret-of-acme") == []
    with acme.inside():
        row: Entry = Entry.objects.order_by("-position")[0]
    assert carol.get(f"{AUDIT}{row.pk}/").status_code == 404


def _row(line: dict[str, Any]) -> Entry:
    from datetime import datetime

    fields = {name: value for name, value in line.items() if name != "at"}
    return Entry(**fields, at=datetime.fromisoformat(line["at"]))
