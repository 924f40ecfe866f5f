"""Moving an alias: with the ETag of what one saw, back again, and with a history."""

import httpx
import pytest

from tests.cast import House
from tests.models import ready_sum_model

CHAMPION = "/api/v1/models/sum/aliases/champion/"
ROLLBACK = f"{CHAMPION}rollback/"
CANARY = "/api/v1/models/sum/aliases/canary/"


@pytest.fixture
def two_versions(acme: House) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")


def served(client: httpx.Client) -> int:
    return int(client.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).json()["version"])


def move(client: httpx.Client, version: int) -> httpx.Response:
    etag = client.get(CHAMPION).headers["ETag"]
    return client.put(CHAMPION, json={"version": version}, headers={"If-Match": etag})


def test_the_first_version_of_one_who_may_promote_is_champion_and_the_second_is_not(
    two_versions: None, alice: httpx.Client
) -> None:
    assert served(alice) == 1


def test_the_next_prediction_uses_the_promoted_version(two_versions: None, alice: httpx.Client) -> None:
    answer = move(alice, 2)

    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert served(alice) == 2


def test_moving_an_alias_needs_the_etag_of_what_one_saw(two_versions: None, alice: httpx.Client) -> None:
    etag = alice.get(CHAMPION).headers["ETag"]

    assert alice.put(CHAMPION, json={"version": 2}).status_code == 428
    assert alice.put(CHAMPION, json={"version": 2}, headers={"If-Match": etag}).status_code == 200
    assert alice.put(CHAMPION, json={"version": 1}, headers={"If-Match": etag}).status_code == 412
    assert served(alice) == 2


@pytest.mark.parametrize(
    ("said", "status"), [("*", 200), ('"0-0", {}', 200), ('"0-0", "1-0"', 412), ("W/{}", 412), ("", 412)]
)
def test_if_match_is_read_as_http_has_it(two_versions: None, alice: httpx.Client, said: str, status: int) -> None:
    if_match = said.format(alice.get(CHAMPION).headers["ETag"])

    assert alice.put(CHAMPION, json={"version": 2}, headers={"If-Match": if_match}).status_code == status


def test_a_new_alias_needs_no_etag(two_versions: None, alice: httpx.Client) -> None:
    assert alice.put("/api/v1/models/sum/aliases/canary/", json={"version": 2}).status_code == 200

    assert alice.post("/api/v1/models/sum@canary/predict/", json={"a": 1, "b": 2}).json()["version"] == 2


def test_rolling_back_goes_one_version_back_each_time_and_then_says_that_there_is_none(
    acme: House, two_versions: None, alice: httpx.Client
) -> None:
    ready_sum_model(acme, tweak="third")
    move(alice, 2)
    move(alice, 3)

    assert alice.post(ROLLBACK).json()["version"] == 2
    assert alice.post(ROLLBACK).json()["version"] == 1
    last = alice.post(ROLLBACK)

    assert (last.status_code, last.json()["code"]) == (409, "nothing_to_roll_back_to")
    assert served(alice) == 1


def test_rolling_back_retraces_the_way_that_the_alias_came(two_versions: None, alice: httpx.Client) -> None:
    move(alice, 2)
    move(alice, 1)

    assert alice.post(ROLLBACK).json()["version"] == 2
    assert alice.post(ROLLBACK).json()["version"] == 1
    assert alice.post(ROLLBACK).status_code == 409


def test_promoting_keeps_the_alias_history(acme: House, two_versions: None, alice: httpx.Client) -> None:
    from foretell.registry.models import AliasMove

    move(alice, 2)
    alice.post(ROLLBACK)

    with acme.inside():
        moves = list(
            AliasMove.objects.order_by("id").values_list(
                "from_number", "to_number", "is_rollback", "moved_by__username"
            )
        )
    assert moves == [(None, 1, False, "alice"), (1, 2, False, "alice"), (2, 1, True, "alice")]


def test_a_version_that_callers_would_stumble_over_is_promoted_only_when_that_is_meant(
    acme: House, two_versions: None, alice: httpx.Client
) -> None:
    from foretell.registry.models import ModelVersion
    from foretell.registry.sealing import seal

    with acme.inside():
        second = ModelVersion.objects.select_related("model").get(number=2)
        assert second.signature is not None
        second.signature["inputs"][0]["name"] = "x"
        second.seal = seal(second)
        second.save()

    refused = move(alice, 2)

    assert (refused.status_code, refused.json()["code"]) == (409, "signature_mismatch")
    assert "'a' is no longer an input" in refused.json()["detail"]
    etag = alice.get(CHAMPION).headers["ETag"]
    allowed = alice.put(CHAMPION, json={"version": 2, "allow_signature_change": True}, headers={"If-Match": etag})
    assert allowed.status_code == 200


def test_what_cannot_be_promoted_is_refused(
    two_versions: None, acme: House, alice: httpx.Client, erin: httpx.Client
) -> None:
    from foretell.registry.models import ModelVersion

    with acme.inside():
        ModelVersion.objects.filter(number=2).update(state="failed")

    assert move(alice, 2).json()["code"] == "version_not_ready"
    assert move(alice, 99).status_code == 404
    assert alice.put("/api/v1/models/sum/aliases/Champion!/", json={"version": 1}).status_code == 400
    assert move(erin, 1).status_code == 403


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"version": "1"},
        {"version": 1.5},
        {"version": True},
        {"version": 0},
        {"version": 1, "allow_signature_change": "yes"},
        {"version": 1, "colour": "red"},
    ],
    ids=str,
)
def test_a_move_is_read_strictly(two_versions: None, alice: httpx.Client, fields: dict[str, object]) -> None:
    canary = "/api/v1/models/sum/aliases/canary/"

    assert alice.put(canary, json=fields).status_code == 400
    assert alice.put(canary, json={"version": 1}).status_code == 200


def test_an_alias_can_be_taken_away(two_versions: None, alice: httpx.Client) -> None:
    etag = alice.get(CHAMPION).headers["ETag"]

    assert alice.delete(CHAMPION, headers={"If-Match": etag}).status_code == 204
    assert alice.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).status_code == 404


def test_another_name_for_a_lone_output_disturbs_no_caller() -> None:
    from dataclasses import replace

    from foretell.registry.aliases import why_callers_break
    from tests.models import sum_signature

    served = sum_signature()
    offered = replace(served, outputs=(replace(served.outputs[0], name="total"),))

    assert why_callers_break(served, offered) == []


def test_no_alias_of_an_archived_model_is_moved_until_it_is_restored(two_versions: None, alice: httpx.Client) -> None:
    move(alice, 2)
    alice.delete("/api/v1/models/sum/")

    answers = [move(alice, 1), alice.post(ROLLBACK), alice.put(CANARY, json={"version": 2})]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "model_archived")] * 3

    alice.patch("/api/v1/models/sum/", json={"archived": False})
    assert served(alice) == 2
    assert alice.post(ROLLBACK).json()["version"] == 1


def test_a_model_that_is_archived_while_somebody_waits_to_promote_stays_as_it_is(
    acme: House, two_versions: None
) -> None:
    from django.utils import timezone

    from foretell.registry.aliases import promote_version
    from foretell.registry.errors import ModelArchived
    from foretell.registry.models import ModelVersion, RegisteredModel

    with acme.inside():
        version = ModelVersion.objects.select_related("model").get(number=2)
        RegisteredModel.objects.update(archived_at=timezone.now())

        with pytest.raises(ModelArchived):
            promote_version(version=version, alias="canary", by=acme.user("alice"), now=timezone.now())
