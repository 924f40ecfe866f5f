"""GET /api/v1/predictions/: what was asked can be read, by those whom it concerns."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.logged import logged_prediction
from tests.models import ready_sum_model
from tests.monitoring.conftest import Drain

LOG = "/api/v1/predictions/"
PREDICT = "/api/v1/models/sum/predict/"


def ids(answer: httpx.Response) -> list[str]:
    return [one["id"] for one in answer.json()["results"]]


def test_a_prediction_is_in_the_log_with_all_that_is_known_of_it(acme: House, bob: httpx.Client, drain: Drain) -> None:
    ready_sum_model(acme)
    answer = bob.post(PREDICT, json={"a": 100, "b": 2}, headers={"X-Request-ID": "mine"}).json()
    drain()

    logged = bob.get(f"{LOG}{answer['id']}/").json()

    assert {name: logged[name] for name in ("model", "version", "face", "user", "key", "request_id", "n_rows", "n_warnings")} == {
        "model": "sum", "version": 1, "face": "rest", "user": "bob", "key": acme.people["bob"].key_id, "request_id": "mine",
        "n_rows": 1, "n_warnings": 1,
    }  # fmt: skip
    assert logged["inputs"] == [{"a": 100.0, "b": 2.0}]
    assert logged["outputs"] == answer
    assert 0 < logged["duration_ms"] < 10_000
    assert 0 < logged["cpu_ms"] < 10_000
    assert abs(datetime.fromisoformat(logged["at"]) - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    "request_of",
    [
        {"json": {"instances": [{"b": 2, "a": 1}, [3, 4]]}},
        {"content": "b,a\n2,1\n4,3\n", "headers": {"Content-Type": "text/csv"}},
        {"content": "b,a\n2,1\n4,3\n", "headers": {"Content-Type": "text/csv", "Accept": "text/csv"}},
    ],
)
def test_inputs_are_rows_of_objects_whatever_shape_they_came_in(
    acme: House, alice: httpx.Client, drain: Drain, request_of: dict[str, Any]
) -> None:
    ready_sum_model(acme)
    assert alice.post(PREDICT, **request_of).status_code == 200
    drain()

    (identifier,) = ids(alice.get(LOG))
    logged = alice.get(f"{LOG}{identifier}/").json()

    assert logged["inputs"] == [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]
    assert logged["outputs"]["predictions"] == [3.0, 7.0]


def test_a_form_of_the_browsable_page_is_logged_by_its_rows(acme: House, alice: httpx.Client, drain: Drain) -> None:
    ready_sum_model(acme)
    alice.post(PREDICT, data={"a": "1", "b": "2"}, headers={"Accept": "text/html"})
    drain()

    (identifier,) = ids(alice.get(LOG))
    logged = alice.get(f"{LOG}{identifier}/").json()

    assert (logged["face"], logged["inputs"]) == ("form", [{"a": 1.0, "b": 2.0}])


def test_what_was_refused_is_not_in_the_log(acme: House, alice: httpx.Client, drain: Drain) -> None:
    ready_sum_model(acme)
    alice.post(PREDICT, json={"a": "x", "b": 2})

    assert drain() == 0


def test_the_list_is_the_newest_first_and_pages_by_cursor_while_rows_come_in(acme: House, alice: httpx.Client) -> None:
    made = [str(logged_prediction(acme, by="alice").pk) for _ in range(5)]

    first = alice.get(LOG, params={"page_size": 2})
    logged_prediction(acme, by="alice")
    second = alice.get(first.json()["next"])
    third = alice.get(second.json()["next"])

    assert ids(first) + ids(second) + ids(third) == made[::-1]
    assert third.json()["next"] is None
    assert "inputs" not in first.json()["results"][0]


def test_a_list_costs_the_same_number_of_queries_whatever_its_length(acme: House, alice: httpx.Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    alice.get(LOG)  # the first use of a key in a while is noted
    counts = []
    for _ in range(2):
        for person in ("alice", "bob", "erin"):
            logged_prediction(acme, by=person)
        with CaptureQueriesContext(connection) as queries:
            alice.get(LOG)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_filters_narrow_the_list(acme: House, alice: httpx.Client) -> None:
    now = datetime.now(UTC)
    old = str(logged_prediction(acme, by="bob", id=id_at(now - timedelta(days=2)), at=now - timedelta(days=2)).pk)
    other = str(logged_prediction(acme, by="alice", model="other", version=2, request_id="r-2").pk)

    def found(**filters: Any) -> list[str]:
        answer = alice.get(LOG, params=filters)
        assert answer.status_code == 200, answer.text
        return ids(answer)

    yesterday = (now - timedelta(days=1)).isoformat()
    assert found() == [other, old]
    assert found(model="other") == found(version=2) == found(request_id="r-2") == found(since=yesterday) == [other]
    assert found(user="BOB") == found(until=yesterday) == found(key=acme.people["bob"].key_id) == [old]
    assert found(user="nobody") == found(model="none") == []


def test_times_are_exact_although_ids_are_searched(acme: House, alice: httpx.Client) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    made = str(logged_prediction(acme, by="bob", id=id_at(at), at=at).pk)

    assert ids(alice.get(LOG, params={"since": at.isoformat()})) == [made]
    assert ids(alice.get(LOG, params={"since": (at + timedelta(microseconds=1)).isoformat()})) == []
    assert ids(alice.get(LOG, params={"until": at.isoformat()})) == []
    assert ids(alice.get(LOG, params={"until": (at + timedelta(microseconds=1)).isoformat()})) == [made]


def id_at(at: datetime) -> str:
    from foretell.monitoring.models import first_id_at

    return str(first_id_at(at))


@pytest.mark.parametrize(
    ("name", "value"),
    [("version", "x"), ("version", "0"), ("version", str(10**30)), ("since", "yesterday"), ("until", "2026-13-01"), ("model", "a\0b"),
     ("user", "x" * 1_000), ("request_id", "\0")],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_400_and_named(alice: httpx.Client, name: str, value: str) -> None:
    answer = alice.get(LOG, params={name: value})

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, name)


@pytest.mark.parametrize("cursor", ["x", "cD1nYXJiYWdl", "cD0lMDA=", "bz05OTk5OTk5OTk5", "%F0%9F"])
def test_a_cursor_that_was_made_up_is_not_found(alice: httpx.Client, cursor: str) -> None:
    assert alice.get(f"{LOG}?cursor={cursor}").status_code in (200, 404)


# --- whose ---


def test_viewers_and_editors_see_their_own_and_admins_everybodys(acme: House, http_for: HttpFor) -> None:
    made = {person: str(logged_prediction(acme, by=person).pk) for person in ("alice", "erin", "bob")}

    for person in ("erin", "bob"):
        client = http_for(person)
        assert ids(client.get(LOG)) == [made[person]]
        assert client.get(f"{LOG}{made['alice']}/").status_code == 404
        assert ids(client.get(LOG, params={"user": "alice"})) == []
    for person in ("adam", "alice"):
        assert len(ids(http_for(person).get(LOG))) == 3


def test_not_mine_and_not_there_are_the_same_bytes(acme: House, http_for: HttpFor) -> None:
    alices = str(logged_prediction(acme, by="alice").pk)
    none = f"{alices[:-1]}{'0' if alices[-1] != '0' else '1'}"

    def seen(person: str, id: str) -> bytes:
        answer = http_for(person).get(f"{LOG}{id}/", headers={"X-Request-ID": "same"})
        assert answer.status_code == 404
        return answer.content

    assert seen("bob", alices) == seen("bob", none) == seen("carol", alices)


def test_a_key_reads_of_its_own_models_only_and_needs_the_scope(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    mine = str(logged_prediction(acme, by="alice").pk)
    logged_prediction(acme, by="alice", model="other")
    bobs = str(logged_prediction(acme, by="bob").pk)
    alice = http_for("alice")

    def narrowed(**fields: Any) -> httpx.Response:
        with acme.inside():
            APIKey.objects.filter(user__username="alice").update(**fields)
        return alice.get(LOG)

    assert sorted(ids(narrowed(model_names=["sum"]))) == sorted([mine, bobs])
    assert ids(narrowed(scopes=["models:read"])) == [mine]
    assert narrowed(scopes=["predict"]).status_code == 403


# --- CSV ---


def test_the_log_is_streamed_as_csv_with_the_same_filters(
    acme: House, alice: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foretell.monitoring.views.exporting.PART", 2)
    made = [str(logged_prediction(acme, by="bob").pk) for _ in range(5)]
    logged_prediction(acme, by="alice", model="other")

    answer = alice.get(LOG, params={"format": "csv", "model": "sum"})

    header, *lines = answer.text.split("\r\n")[:-1]
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert header.split(",")[:6] == ["id", "at", "model", "version", "face", "user"]
    assert [line.split(",")[0] for line in lines] == made[::-1]
    assert all(line.split(",")[5] == "bob" for line in lines)


def test_a_viewers_csv_has_their_own_only_and_an_empty_one_its_header(acme: House, bob: httpx.Client) -> None:
    logged_prediction(acme, by="alice")

    assert len(bob.get(LOG, params={"format": "csv"}).text.splitlines()) == 1


def test_a_wrong_filter_is_400_as_csv_too(alice: httpx.Client) -> None:
    assert alice.get(LOG, params={"format": "csv", "version": "x"}).status_code == 400
