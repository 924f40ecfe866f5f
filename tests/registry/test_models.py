"""The catalogue over REST: list, read, change, archive; and what a list costs."""

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model


def test_a_model_shows_its_task_aliases_and_signature(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    model = bob.get("/api/v1/models/sum/").json()

    assert (model["task"], model["aliases"], model["latest_version"]) == ("regression", {"champion": 1}, 1)
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


def queries(house: House, path: str) -> int:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "acme.localhost", "X-API-Key": house.people["bob"].key})
    client.get("/api/v1/me/")  # notes when the key was last used, which is written once in a while
    with house.inside(), CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", ["/api/v1/models/", "/api/v1/models/one/versions/", "/api/v1/models/one/aliases/"])
def test_a_list_costs_the_same_number_of_queries_whatever_its_length(
    acme: House, alice: httpx.Client, path: str
) -> None:
    ready_sum_model(acme, name="one")
    few = queries(acme, path)
    for number in range(1, 5):
        ready_sum_model(acme, name=f"more-{number}")
        ready_sum_model(acme, name="one", tweak=str(number))
        alice.put(f"/api/v1/models/one/aliases/a{number}/", json={"version": number})

    assert len(alice.get(path).json()["results"]) == 5
    assert queries(acme, path) == few


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


def test_archiving_takes_the_right_to_promote_by_whichever_address(acme: House, erin: httpx.Client) -> None:
    ready_sum_model(acme, by="erin")

    assert erin.delete("/api/v1/models/sum/").status_code == 403
    assert erin.patch("/api/v1/models/sum/", json={"archived": True}).status_code == 403
    assert erin.patch("/api/v1/models/sum/", json={"description": "Sums."}).status_code == 200
    assert erin.get("/api/v1/models/").json()["count"] == 1


def test_an_editor_describes_the_models_they_registered_and_no_others(acme: House, erin: httpx.Client) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, name="hers", by="erin")

    for path, change in (("", {"description": "x"}), ("tags/team/", {"value": "a"}), ("card/", {"text": "# x"})):
        statuses = [
            (erin.put if path else erin.patch)(f"/api/v1/models/{name}/{path}", json=change).status_code
            for name in ("sum", "hers")
        ]
        assert (statuses[0], statuses[1] < 300) == (403, True), path


def test_describing_a_model_leaves_the_numbering_of_its_versions_alone(acme: House, erin: httpx.Client) -> None:
    from django.utils import timezone

    from foretell.registry.catalogue import change_model
    from foretell.registry.models import RegisteredModel

    ready_sum_model(acme, by="erin")
    with acme.inside():
        read_before = RegisteredModel.objects.get()
        ready_sum_model(acme, tweak="pushed meanwhile")
        change_model(model=read_before, principal=acme.principal("erin"), now=timezone.now(), description="Sums.")

        assert RegisteredModel.objects.get().last_number == 2


def test_a_key_limited_to_some_models_makes_no_other(acme: House, alice: httpx.Client) -> None:
    from foretell.accounts.models import APIKey

    with acme.inside():
        APIKey.objects.filter(user__username="alice").update(model_names=["sum"])

    assert alice.post("/api/v1/models/", json={"name": "other"}).status_code == 403
    assert alice.post("/api/v1/models/", json={"name": "sum"}).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"name": "w", "name": "v"}',
        '{"name": NaN}',
        '{"name": "w", "description": "\\ud800"}',
        '{"name": "w", "description": "a\\u0000"}',
        '{"name": "w", "tags": {"a": "\\udfff"}}',
        '{"name": "w", "colour": "red"}',
        "{",
        "[]",
        "",
    ],
    ids=lambda body: body[:40],
)
def test_a_body_that_is_no_clean_json_object_is_400(acme: House, alice: httpx.Client, body: str) -> None:
    headers = {"Content-Type": "application/json"}

    assert alice.post("/api/v1/models/", content=body.encode(), headers=headers).status_code == 400
    assert alice.post("/api/v1/models/", content=b'{"name": "w"}', headers=headers).status_code == 201


def test_a_row_that_was_tampered_with_takes_no_list_with_it(acme: House, alice: httpx.Client) -> None:
    from foretell.registry.models import ModelVersion

    version = ready_sum_model(acme)
    ready_sum_model(acme, name="whole")
    with acme.inside():
        ModelVersion.objects.filter(pk=version.pk).update(signature={"inputs": "changed"})

    tasks = {model["name"]: model["task"] for model in alice.get("/api/v1/models/").json()["results"]}
    assert tasks == {"sum": None, "whole": "regression"}
    assert alice.get("/api/v1/models/sum/versions/1/").json()["task"] is None


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


def test_an_address_without_its_slash_is_sent_on_with_method_and_body(acme: House, erin: httpx.Client) -> None:
    answer = erin.post("/api/v1/models?x=1", json={"name": "wine"})

    assert (answer.status_code, answer.headers["Location"]) == (308, "/api/v1/models/?x=1")
