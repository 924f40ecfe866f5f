"""What stands behind the `?` of a list is taken for what it is, or refused: nothing is ignored, and nothing breaks on its way out."""

import httpx
import pytest

from tests.cast import House
from tests.models import ready_sum_model

MODELS = "/api/v1/models/"
HTML = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("archived", "banana"),
        ("archived", ""),
        ("archived", "null"),
        ("created_at__gte", ""),
        ("created_at__gte", "soon"),
    ],
)
def test_a_value_that_means_nothing_is_refused_and_does_not_show_everything(
    alice: httpx.Client, name: str, text: str
) -> None:
    answer = alice.get(MODELS, params={name: text})

    assert answer.status_code == 400
    assert [fault["attr"] for fault in answer.json()["errors"]] == [name]


def test_the_form_of_the_browsable_page_may_send_fields_empty(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    answer = alice.get(MODELS, params={"archived": "", "created_at__gte": ""}, headers=HTML)

    assert answer.status_code == 200
    assert alice.get(MODELS, params={"archived": "banana"}, headers=HTML).status_code == 400


@pytest.mark.parametrize("form", ["json", "csv", "xlsx", "parquet"])
def test_a_time_with_an_offset_that_postgresql_does_not_know_is_that_time(
    acme: House, alice: httpx.Client, form: str
) -> None:
    ready_sum_model(acme)

    answer = alice.get(MODELS, params={"created_at__gte": "2020-01-01T00:00:00+21:55", "format": form})

    assert answer.status_code == 200
    assert len(answer.content) > 20


def test_a_time_out_of_reach_is_a_fault(alice: httpx.Client) -> None:
    answer = alice.get(MODELS, params={"created_at__gte": "0001-01-01T00:00:00+10:00"})

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "created_at__gte")


@pytest.mark.parametrize("path", [MODELS, "/api/v1/predictions/", "/api/v1/usage/", "/api/v1/audit/"])
def test_an_export_holds_what_is_said_of_pages_to_what_may_be_said(alice: httpx.Client, path: str) -> None:
    assert alice.get(path, params={"format": "csv", "page_size": "9000"}).status_code == 400
    assert alice.get(path, params={"format": "csv", "page_size": "50"}).status_code == 200


def test_options_tells_of_every_address_and_breaks_at_none(acme: House, alice: httpx.Client) -> None:
    from tests.permission_matrix import API, MATRIX

    ready_sum_model(acme)
    paths = {row.path for row in MATRIX if row.path.startswith(API)}

    for path in sorted(paths):
        answer = alice.options(path)
        assert answer.status_code in (200, 404, 405), path


def test_an_unknown_method_is_refused_whatever_format_is_asked_for(alice: httpx.Client) -> None:
    answer = alice.request("TRACE", "/api/v1/users/", params={"format": "csv"})

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_a_whole_number_may_be_written_with_its_point(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    made = alice.post("/api/v1/models/sum/aliases/", json={"alias": "canary", "version": 1.0})

    assert (made.status_code, made.json()["version"]) == (201, 1)
