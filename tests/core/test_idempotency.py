"""`Idempotency-Key`: what is sent twice is done once, and answered alike."""

import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from tests.cast import House
from tests.http import HttpFor
from tests.models import converted_sum_model, ready_sum_model, sum_graph

MODELS = "/api/v1/models/"
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def count_models(house: House) -> int:
    from foretell.registry.models import RegisteredModel

    with house.inside():
        return RegisteredModel.objects.count()


def test_the_same_request_again_changes_nothing_and_is_answered_alike(acme: House, erin: httpx.Client) -> None:
    first = erin.post(MODELS, json={"name": "wine"}, headers=KEY)
    again = erin.post(MODELS, json={"name": "wine"}, headers=KEY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert count_models(acme) == 1


def test_a_prediction_that_is_asked_again_is_the_same_one(acme: House, erin: httpx.Client) -> None:
    ready_sum_model(acme)

    first, again, other = (
        erin.post(f"{MODELS}sum/predict/", json={"a": 1, "b": 2.5}, headers=headers) for headers in (KEY, KEY, {})
    )

    assert [answer.status_code for answer in (first, again, other)] == [200, 200, 200]
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]


def test_without_a_key_it_is_done_again(acme: House, erin: httpx.Client) -> None:
    assert [erin.post(MODELS, json={"name": "wine"}).status_code for _ in range(2)] == [201, 409]


def test_a_key_with_another_body_is_refused(erin: httpx.Client) -> None:
    erin.post(MODELS, json={"name": "wine"}, headers=KEY)

    answer = erin.post(MODELS, json={"name": "beer"}, headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_quotes_around_a_key_mean_nothing(erin: httpx.Client) -> None:
    erin.post(MODELS, json={"name": "wine"}, headers=KEY)

    quoted = {"Idempotency-Key": f'"{KEY["Idempotency-Key"]}"'}
    assert erin.post(MODELS, json={"name": "wine"}, headers=quoted).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", '""', "a" * 256, "a\tb", "gr\u00fcn".encode("latin-1")])
def test_what_is_no_key_is_refused_before_anything_is_done(acme: House, erin: httpx.Client, key: Any) -> None:
    answer = erin.post(MODELS, json={"name": "wine"}, headers={"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "Idempotency-Key")
    assert count_models(acme) == 0


def test_a_refusal_is_not_kept_so_that_the_key_may_be_tried_again(acme: House, http_for: HttpFor) -> None:
    bob, erin = http_for("bob"), http_for("erin")

    assert bob.post(MODELS, json={"name": "wine"}, headers=KEY).status_code == 403
    assert erin.post(MODELS, json={"name": "../x"}, headers=KEY).status_code == 400
    assert erin.post(MODELS, json={"name": "wine"}, headers=KEY).status_code == 201


def test_a_key_is_its_callers_own_and_of_one_address(acme: House, http_for: HttpFor) -> None:
    erin, alice = http_for("erin"), http_for("alice")
    ready_sum_model(acme)
    erin.post(MODELS, json={"name": "wine"}, headers=KEY)

    assert alice.post(MODELS, json={"name": "beer"}, headers=KEY).status_code == 201
    elsewhere = alice.post("/api/v1/models/sum/aliases/champion/rollback/", headers=KEY)
    assert elsewhere.status_code == 409
    assert elsewhere.json()["code"] == "nothing_to_roll_back_to"


def test_another_tenants_same_key_is_another(acme: House, globex: House, http_for: HttpFor) -> None:
    for person in ("alice", "carol"):
        answer = http_for(person).post(MODELS, json={"name": "wine"}, headers=KEY)
        assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (201, None)


def test_a_push_that_is_sent_again_is_the_same_whatever_its_boundary(acme: House, erin: httpx.Client) -> None:
    import json

    def push(boundary: str, content: bytes) -> httpx.Response:
        headers = {**KEY, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        metadata = {"metadata": json.dumps({"converted": converted_sum_model()})}
        return erin.post(
            "/api/v1/models/sum/versions/", data=metadata, files=[("artifact", ("sum.onnx", content))], headers=headers
        )

    first, again, other = push("one", sum_graph()), push("another", sum_graph()), push("one", sum_graph() + b"\0")

    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert other.status_code == 422


def test_while_the_first_is_being_answered_others_are_told_to_wait(
    acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.registry.catalogue import create_model as make

    begun, go_on, answers = threading.Event(), threading.Event(), []

    def slow(**fields: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        return make(**fields)

    erin = http_for("erin")
    monkeypatch.setattr("foretell.registry.views.models.create_model", slow)
    first = threading.Thread(target=lambda: answers.append(erin.post(MODELS, json={"name": "wine"}, headers=KEY)))
    first.start()
    assert begun.wait(10)
    meanwhile = http_for("erin").post(MODELS, json={"name": "wine"}, headers=KEY)
    go_on.set()
    first.join()

    assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "idempotency_key_in_use")
    assert answers[0].status_code == 201
    assert count_models(acme) == 1


def test_many_at_once_do_it_once(acme: House, http_for: HttpFor) -> None:
    answers: list[httpx.Response] = []
    clients = [http_for("erin") for _ in range(6)]
    threads = [
        threading.Thread(
            target=lambda client=client: answers.append(client.post(MODELS, json={"name": "wine"}, headers=KEY))
        )
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json().get("code", "") for answer in answers} <= {"", "idempotency_key_in_use"}
    assert count_models(acme) == 1


def test_who_died_over_a_request_is_followed_by_another(acme: House) -> None:
    from foretell.core.idempotency.claiming import Claim, claim
    from foretell.core.idempotency.errors import KeyInUse

    now = timezone.now()
    with acme.inside():
        claim(place="p", key="k", fingerprint="f", now=now)
        with pytest.raises(KeyInUse):
            claim(place="p", key="k", fingerprint="f", now=now + timedelta(minutes=1))
        assert isinstance(claim(place="p", key="k", fingerprint="f", now=now + timedelta(minutes=3)), Claim)


def test_who_was_taken_for_dead_and_was_not_keeps_nothing(acme: House) -> None:
    from foretell.core.idempotency import claiming
    from foretell.core.idempotency.models import KeptAnswer

    now = timezone.now()
    with acme.inside():
        late = claiming.claim(place="p", key="k", fingerprint="f", now=now)
        second = claiming.claim(place="p", key="k", fingerprint="f", now=now + timedelta(minutes=3))
        assert isinstance(late, claiming.Claim)
        assert isinstance(second, claiming.Claim)
        claiming.keep(late, status=201, sealed=b"late")
        claiming.release(late)
        claiming.keep(second, status=201, sealed=b"second")

        assert bytes(KeptAnswer.objects.get().sealed) == b"second"


def test_after_a_day_a_key_is_new_and_its_answer_is_deleted(acme: House) -> None:
    from foretell.core.idempotency import claiming

    now = timezone.now()
    with acme.inside():
        first = claiming.claim(place="p", key="k", fingerprint="f", now=now)
        assert isinstance(first, claiming.Claim)
        claiming.keep(first, status=201, sealed=b"")

        assert isinstance(
            claiming.claim(place="p", key="k", fingerprint="other", now=now + timedelta(hours=25)), claiming.Claim
        )
        assert claiming.forget_expired(now=now + timedelta(hours=50)) == 1


def test_an_answer_is_kept_sealed_so_that_the_table_tells_no_secret(acme: House, erin: httpx.Client) -> None:
    from foretell.core.idempotency.models import KeptAnswer

    erin.post(MODELS, json={"name": "swordfish"}, headers=KEY)

    with acme.inside():
        row = KeptAnswer.objects.get()
        content = bytes(row.sealed)
        assert b"swordfish" not in content
        assert KEY["Idempotency-Key"] not in f"{row.place} {row.fingerprint}"
    from foretell.core.idempotency.sealing import opened

    with acme.inside():
        assert opened(content, place=row.place, key="another key") is None
        found = opened(content, place=row.place, key=KEY["Idempotency-Key"])
    assert found is not None
    assert b"swordfish" in found.body  # the control
