"""The catalogue over REST: list, read, change, archive; and what a list costs."""

import httpx

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model


def test_a_model_shows_its_task_aliases_and_signature(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    model = bob.get("/api/v1/models/sum/").json()

    assert (model["task"], model["aliases"]) == ("regression", {"champion": 1})
    assert [source["name"] for source in model["signature"]["inputs"]] == ["a", "b"]
    assert model["url"] == "http://acme.localhost/api/v1/models/sum/"


def test_links_stay_below_the_prefix(acme: House, http_for: HttpFor) -> None:
    ready_sum_model(acme)

    model = (
        http_for(None, tenant="globex")
        .get("/t/acme/api/v1/models/sum/", headers={"X-API-Key": acme.people["bob"].key})
        .json()
    )

    assert model["url"] == "http://globex.localhost/t/acme/api/v1/models/sum/"


def test_a_list_costs_the_same_number_of_queries_whatever_its_length(acme: House, http_for: HttpFor) -> None:
    def queries() -> int:
        from django.db import connection
        from django.test import Client
        from django.test.utils import CaptureQueriesContext

        with acme.inside(), CaptureQueriesContext(connection) as captured:
            answer = Client(headers={"host": "acme.localhost", "X-API-Key": acme.people["bob"].key}).get(
                "/api/v1/models/"
            )
            assert answer.status_code == 200
        return len(captured)

    ready_sum_model(acme, name="one")
    few = queries()
    for number in range(5):
        ready_sum_model(acme, name=f"more-{number}")

    assert queries() == few


def test_models_are_searched_ordered_and_paged(acme: House, bob: httpx.Client) -> None:
    for name in ("alpha", "beta", "gamma"):
        ready_sum_model(acme, name=name)

    def names(query: str) -> list[str]:
        return [model["name"] for model in bob.get(f"/api/v1/models/?{query}").json()["results"]]

    assert names("") == ["alpha", "beta", "gamma"]
    assert names("search=et") == ["beta"]
    assert names("ordering=-name") == ["gamma", "beta", "alpha"]
    assert names("page_size=2&page=2") == ["gamma"]
    assert bob.get("/api/v1/models/?page=9").status_code == 404


def test_an_archived_model_answers_no_more_until_it_is_restored(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    assert alice.delete("/api/v1/models/sum/").status_code == 204
    assert alice.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).status_code == 404
    assert alice.get("/api/v1/models/").json()["count"] == 0

    alice.patch("/api/v1/models/sum/", json={"archived": False})
    assert alice.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).status_code == 200


def test_a_model_is_made_once_and_described(acme: House, erin: httpx.Client) -> None:
    made = erin.post("/api/v1/models/", json={"name": "wine", "tags": {"team": "a"}})

    assert (made.status_code, made.json()["name"]) == (201, "wine")
    assert erin.post("/api/v1/models/", json={"name": "wine"}).status_code == 409
    assert (
        erin.patch("/api/v1/models/wine/", json={"description": "Red or white."}).json()["description"]
        == "Red or white."
    )
    assert erin.patch("/api/v1/models/wine/", json={"name": "beer"}).status_code == 400
    assert erin.post("/api/v1/models/", json={"name": "../x"}).status_code == 400
    assert erin.post("/api/v1/models/", json={"name": 1}).status_code == 400


def test_the_same_name_in_two_tenants_is_two_models(acme: House, globex: House, http_for: HttpFor) -> None:
    ready_sum_model(acme)
    ready_sum_model(globex, by="carol")

    http_for("alice").patch("/api/v1/models/sum/", json={"description": "of acme"})

    assert http_for("carol").get("/api/v1/models/sum/").json()["description"] == ""


def test_browsers_get_pages_at_the_same_addresses(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    for path in ("models/", "models/sum/", "models/sum/versions/", "models/sum/aliases/", "me/"):
        answer = bob.get(f"/api/v1/{path}", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), path


def test_an_address_without_its_slash_is_sent_on_with_method_and_body(acme: House, erin: httpx.Client) -> None:
    answer = erin.post("/api/v1/models?x=1", json={"name": "wine"})

    assert (answer.status_code, answer.headers["Location"]) == (308, "/api/v1/models/?x=1")


def test_openapi_has_each_models_own_fields(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    document = bob.get("/api/v1/schema/?format=json").json()

    operation = document["paths"]["/api/v1/models/sum/predict/"]["post"]
    row = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
    assert document["openapi"].startswith("3.1")
    assert row["required"] == ["a", "b"]
    assert row["properties"]["a"]["type"] == "number"
    assert bob.get("/api/v1/docs/", headers={"Accept": "text/html"}).status_code == 200
