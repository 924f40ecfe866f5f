"""Lists: filters, also on tags and metrics, search, order; what nobody knows is refused, and all that is wrong is said at once."""

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.registry.catalogue import listed_model, listed_version

MODELS = "/api/v1/models/"
REGRESSION = {"inputs": [], "outputs": [{"name": "y", "task": "regression"}]}
BINARY = {"inputs": [], "outputs": [{"name": "y", "task": "binary"}]}


@pytest.fixture
def catalogue(acme: House) -> None:
    wine = listed_model(acme, "wine", description="Tells red from white.", tags={"team": "a", "0": "zero"})
    beer = listed_model(acme, "beer", by="erin", description="How bitter it is.", tags={"team": "b"})
    listed_model(acme, "water")
    listed_version(wine, acme, metrics={"accuracy": 0.5}, signature=BINARY)
    listed_version(wine, acme, number=2, alias="champion", metrics={"accuracy": 0.9, "f1": 0.7}, signature=BINARY)
    listed_version(beer, acme, alias="champion", metrics={"accuracy": 0.8, "r2": -1}, signature=REGRESSION)
    listed_version(beer, acme, number=2, alias="canary", metrics={"accuracy": 0.99}, signature=REGRESSION)


def names(client: httpx.Client, query: str) -> list[str]:
    answer = client.get(f"{MODELS}?{query}")
    assert answer.status_code == 200, answer.text
    return [model["name"] for model in answer.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["beer", "water", "wine"]),
        ("name=wine", ["wine"]),
        ("name__startswith=w", ["water", "wine"]),
        ("task=regression", ["beer"]),
        ("alias=canary", ["beer"]),
        ("created_by=ERIN", ["beer"]),
        ("created_at__gte=2999-01-01T00:00:00Z", []),
        ("created_at__lt=2999-01-01T00:00:00Z&updated_at__gte=2000-01-01", ["beer", "water", "wine"]),
        ("tag.team=a", ["wine"]),
        ("tag.0=zero", ["wine"]),
        ("tag.team=a&tag.0=one", []),
        ("metric.accuracy__gte=0.9", ["wine"]),
        ("metric.accuracy__gt=0.9", []),
        ("metric.accuracy__lte=0.8", ["beer"]),
        ("metric.accuracy__lt=1e0", ["beer", "wine"]),
        ("metric.accuracy=0.8", ["beer"]),
        ("metric.r2__lt=0", ["beer"]),
        ("metric.accuracy__gte=0.5&metric.f1__gte=0.5", ["wine"]),
        ("metric.absent__gte=0", []),
        ("ordering=-name", ["wine", "water", "beer"]),
        ("ordering=metric.accuracy", ["beer", "wine", "water"]),
        ("ordering=-metric.accuracy", ["wine", "beer", "water"]),
        ("ordering=created_at,-name", ["wine", "beer", "water"]),
        ("search=in", ["wine"]),
        ("search=bitt", ["beer"]),
        ("search=WHITE wine", ["wine"]),
        ("search=white beer", []),
        ("search=itter", []),
        ("search=e", ["beer", "water", "wine"]),
    ],
)
def test_models_are_found_by_what_is_asked_for(
    catalogue: None, bob: httpx.Client, query: str, found: list[str]
) -> None:
    assert names(bob, query) == found


@pytest.mark.parametrize("text", ["'", "\\", "a'b:*&|!()<->", "%", "_", "''", ":*", "--", "50%25"])
def test_a_search_takes_any_characters_for_what_they_are(catalogue: None, bob: httpx.Client, text: str) -> None:
    assert bob.get(MODELS, params={"search": text}).json()["count"] == 0


def test_archived_models_are_listed_where_one_asks_for_them(catalogue: None, alice: httpx.Client) -> None:
    alice.delete(f"{MODELS}beer/")

    assert names(alice, "archived=true") == ["beer"]
    assert names(alice, "archived=false") == ["water", "wine"]
    assert names(alice, "archived=true&search=beer&metric.accuracy__gte=0.5") == ["beer"]


def test_everything_that_is_wrong_with_a_query_is_said_at_once(catalogue: None, bob: httpx.Client) -> None:
    answer = bob.get(
        f"{MODELS}?colour=red&created_at__gte=soon&archived=perhaps&ordering=age&metric.accuracy__gte=high&metric.=1&tag.=a"
        f"&search={'a%20' * 9}&name={'a' * 101}"
    )

    assert answer.status_code == 400
    assert {fault["attr"] for fault in answer.json()["errors"]} == {
        "colour", "created_at__gte", "ordering", "metric.accuracy__gte", "metric.", "tag.", "search", "name",
    }  # fmt: skip
    assert "created_by" in next(fault["detail"] for fault in answer.json()["errors"] if fault["attr"] == "colour")


@pytest.mark.parametrize(
    "query",
    ["page_size=0", "page_size=201", "page_size=-1", "page_size=many", "page_size=%D9%A3", "search=%00", "name=%00",
     "ordering=--name", "ordering=metric.", "ordering=tag.team", "metric.a=NaN", "metric.a__gte=1e999", "tag.a=%00",
     "metric.%00=1", "ordering=-metric.%00", "created_by=%00", "task=%00"],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_its_name(catalogue: None, bob: httpx.Client, query: str) -> None:
    answer = bob.get(f"{MODELS}?{query}")

    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["attr"].startswith(query.partition("=")[0].partition("%")[0])


def test_versions_are_found_by_what_is_asked_for(catalogue: None, bob: httpx.Client) -> None:
    def numbers(query: str) -> list[int]:
        answer = bob.get(f"{MODELS}wine/versions/?{query}")
        assert answer.status_code == 200, answer.text
        return [version["version"] for version in answer.json()["results"]]

    assert numbers("") == [2, 1]
    assert numbers("ordering=number") == [1, 2]
    assert numbers("alias=champion") == [2]
    assert numbers("state=failed") == []
    assert numbers("metric.accuracy__lt=0.9&task=binary") == [1]
    assert numbers("ordering=metric.f1") == [2, 1]
    assert bob.get(f"{MODELS}wine/versions/?state=broken&runtime=java").status_code == 400


def test_aliases_are_found_by_what_is_asked_for(catalogue: None, bob: httpx.Client) -> None:
    def found(query: str) -> list[str]:
        return [alias["alias"] for alias in bob.get(f"{MODELS}beer/aliases/?{query}").json()["results"]]

    assert found("") == ["canary", "champion"]
    assert found("ordering=-name") == ["champion", "canary"]
    assert found("version=2") == ["canary"]
    assert found("search=cha") == ["champion"]
    assert bob.get(f"{MODELS}beer/aliases/?version=two").status_code == 400


def test_a_key_limited_to_some_models_finds_no_other_by_any_query(
    catalogue: None, acme: House, http_for: HttpFor
) -> None:
    from foretell.accounts.models import APIKey

    with acme.inside():
        APIKey.objects.filter(user__username="bob").update(model_names=["wine"])
    bob = http_for("bob")

    assert names(bob, "search=beer") == names(bob, "metric.accuracy=0.8") == names(bob, "tag.team=b") == []
    assert names(bob, "") == ["wine"]


@pytest.mark.parametrize(
    ("signature", "task"),
    [
        (None, None),
        ({}, None),
        ({"outputs": []}, None),
        ({"outputs": "changed"}, None),
        ({"outputs": [{"name": "y"}]}, None),
        (REGRESSION, "regression"),
        ({"outputs": [{"task": "regression"}, {"task": "binary"}]}, "multi-output"),
        ({"outputs": [{"task": "transform"}, {"task": "transform"}]}, "transform"),
        ({"outputs": [{"task": "transform"}]}, "transform"),
    ],
)
def test_the_database_names_a_signatures_task_as_the_signature_does(
    acme: House, signature: object, task: str | None
) -> None:
    model = listed_model(acme, "wine")

    assert listed_version(model, acme, signature=signature).task == task
