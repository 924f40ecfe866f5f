"""Which version was made from which; two versions beside each other."""

import json
from typing import Any

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import converted_sum_model, ready_sum_model, sum_graph
from tests.registry.catalogue import listed_model, listed_version

SUM = "/api/v1/models/sum/"


def push(client: httpx.Client, model: str, parent: Any) -> httpx.Response:
    metadata = {
        "converted": {**converted_sum_model(), "reason": model},
        "lineage": {"parent": parent, "dataset": "s3://rows"},
    }
    return client.post(
        f"/api/v1/models/{model}/versions/", data={"metadata": json.dumps(metadata)}, files=[("artifact", ("m.onnx", sum_graph()))]
    )  # fmt: skip


def of(client: httpx.Client, model: str, number: int) -> dict[str, Any]:
    answer = client.get(f"/api/v1/models/{model}/versions/{number}/lineage/")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def named(versions: list[dict[str, Any]]) -> list[str]:
    return [f"{version['model']}:{version['version']}" for version in versions]


def test_a_version_says_what_it_was_made_from_and_that_one_what_was_made_of_it(acme: House, erin: httpx.Client) -> None:
    ready_sum_model(acme)
    assert push(erin, "tuned", {"model": "sum", "version": 1}).status_code == 201
    assert push(erin, "again", {"model": "tuned", "version": 1}).status_code == 201

    assert named(of(erin, "again", 1)["ancestors"]) == ["tuned:1", "sum:1"]
    assert named(of(erin, "sum", 1)["children"]) == ["tuned:1"]
    assert of(erin, "again", 1)["lineage"]["dataset"] == "s3://rows"
    assert of(erin, "sum", 1)["ancestors"] == []
    assert of(erin, "tuned", 1)["children"][0]["url"] == "http://acme.localhost/api/v1/models/again/versions/1/"


def test_a_parent_that_is_not_there_and_one_that_is_not_yours_are_the_same(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    ready_sum_model(acme)
    with acme.inside():
        APIKey.objects.filter(user__username="erin").update(model_names=["tuned", "other"])
    erin = http_for("erin")

    hidden, absent = (
        push(erin, "tuned", {"model": "sum", "version": 1}),
        push(erin, "tuned", {"model": "sum", "version": 7}),
    )

    assert (hidden.status_code, absent.status_code) == (400, 400)
    assert hidden.json()["errors"][0]["attr"] == "metadata.lineage.parent"
    assert hidden.json()["detail"] == absent.json()["detail"].replace("version 7", "version 1")


def test_what_a_key_may_not_see_is_not_in_a_lineage(acme: House, erin: httpx.Client, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    ready_sum_model(acme)
    push(erin, "tuned", {"model": "sum", "version": 1})
    push(erin, "again", {"model": "tuned", "version": 1})
    with acme.inside():
        APIKey.objects.filter(user__username="bob").update(model_names=["tuned"])
    bob = http_for("bob")

    assert (of(bob, "tuned", 1)["ancestors"], of(bob, "tuned", 1)["children"]) == ([], [])


def test_a_lineage_costs_the_same_whatever_the_generations(acme: House, erin: httpx.Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from foretell.registry.lineage import ancestors
    from foretell.registry.models import ModelVersion

    model = listed_model(acme, "wine")
    for number in range(1, 7):
        listed_version(model, acme, number=number)
    with acme.inside():
        for number in range(2, 7):
            parent = ModelVersion.objects.get(number=number - 1)
            ModelVersion.objects.filter(number=number).update(parent=parent)

        def cost(number: int) -> int:
            with CaptureQueriesContext(connection) as captured:
                assert (
                    len(ancestors(ModelVersion.objects.get(number=number), principal=acme.principal("bob")))
                    == number - 1
                )
            return len(captured)

        assert cost(2) == cost(6)


def test_a_parent_is_said_later_too_but_nobody_descends_from_their_child(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")

    def set_parent(number: int, parent: int) -> httpx.Response:
        body = {"lineage": {"parent": {"model": "sum", "version": parent}}}
        return alice.patch(f"{SUM}versions/{number}/", json=body)

    assert set_parent(2, 1).status_code == 200
    assert named(of(alice, "sum", 2)["ancestors"]) == ["sum:1"]
    for number, parent in ((1, 2), (1, 1), (2, 2)):
        assert set_parent(number, parent).json()["code"] == "unknown_parent"
    assert alice.patch(f"{SUM}versions/2/", json={"lineage": {}}).status_code == 200
    assert of(alice, "sum", 2)["ancestors"] == []


@pytest.fixture
def two_versions(acme: House) -> None:
    for tweak, accuracy in (("first", 0.8), ("second", 0.9)):
        version = ready_sum_model(acme, tweak=tweak)
        with acme.inside():
            version.metrics = {"accuracy": accuracy, tweak: 1.0}
            version.save(update_fields=["metrics"])


def test_two_versions_are_compared_by_metrics_signature_and_answers(two_versions: None, bob: httpx.Client) -> None:
    compared = bob.get(f"{SUM}compare/?a=champion&b=2").json()

    assert (compared["a"]["version"], compared["b"]["version"]) == (1, 2)
    assert compared["metrics"]["accuracy"] == {"a": 0.8, "b": 0.9, "difference": pytest.approx(0.1)}
    assert compared["metrics"]["first"] == {"a": 1.0, "b": None, "difference": None}
    assert compared["signature"] == {
        "inputs": {"added": [], "removed": [], "changed": []}, "outputs": {"added": [], "removed": [], "changed": []},
        "breaks_callers": [],
    }  # fmt: skip
    assert compared["answers"]["n_rows"] == compared["answers"]["n_agreeing"] == 2
    assert compared["answers"]["rows"][0] == {"inputs": {"a": 1.0, "b": 2.0}, "a": 3.0, "b": 3.0, "agree": True}
    assert compared["answers"]["largest_difference"] == 0


def test_who_may_not_predict_sees_no_answers(two_versions: None, acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    with acme.inside():
        APIKey.objects.filter(user__username="bob").update(scopes=["models:read"])

    compared = http_for("bob").get(f"{SUM}compare/?a=1&b=2").json()

    assert compared["answers"] is None
    assert "predict" in compared["answers_omitted"]
    assert compared["metrics"]["accuracy"]["difference"] == pytest.approx(0.1)


def test_a_version_that_is_not_ready_is_compared_by_what_there_is(acme: House, bob: httpx.Client) -> None:
    model = listed_model(acme, "wine")
    listed_version(model, acme, metrics={"accuracy": 1}, state="failed", seal="")
    listed_version(model, acme, number=2, metrics={"accuracy": 2}, state="failed", seal="")

    compared = bob.get("/api/v1/models/wine/compare/?a=1&b=2").json()

    assert (compared["signature"], compared["answers"]) == (None, None)
    assert "not ready" in compared["answers_omitted"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("a=1", 400), ("a=1&b=0", 400), ("a=1&b=-1", 400), ("a=1&b=A%20b", 400), ("a=1&b=9", 404), ("a=1&b=nobody", 404),
     ("a=1&b=%D9%A3", 400), ("a=1&b=%00", 400), ("a=1&b=99999999999", 400)],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(two_versions: None, bob: httpx.Client, query: str, status: int) -> None:
    assert bob.get(f"{SUM}compare/?{query}").status_code == status


def test_differences_between_signatures_are_named() -> None:
    from foretell.inference.signature import DType, Input, Output, Signature, Task
    from foretell.registry.comparing import compare_signatures

    outputs = (Output(name="y", task=Task.REGRESSION),)
    old = Signature(
        inputs=(Input(name="a", dtype=DType.FLOAT), Input(name="b", dtype=DType.INT, unit="m")), outputs=outputs
    )
    new = Signature(
        inputs=(Input(name="b", dtype=DType.FLOAT, unit="m"), Input(name="c", dtype=DType.FLOAT)), outputs=outputs
    )

    found = compare_signatures(old, new)

    assert [item["name"] for item in found["inputs"]["added"]] == ["c"]
    assert [item["name"] for item in found["inputs"]["removed"]] == ["a"]
    assert found["inputs"]["changed"] == [{"name": "b", "differences": {"dtype": {"a": "int", "b": "float"}}}]
    assert len(found["breaks_callers"]) == 3
