"""POST /api/v1/models/{name}/predict/: the contract's shapes, strictly, with a model whose answers one can check in one's head."""

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model

PREDICT = "/api/v1/models/sum/predict/"


def test_one_row_is_answered_in_the_plainest_shape(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    answer = alice.post(PREDICT, json={"a": 1, "b": 2.5})

    body = answer.json()
    assert answer.status_code == 200, answer.text
    assert (body["prediction"], body["model"], body["version"]) == (3.5, "sum", 1)
    assert len(body["id"]) == 36
    assert "probabilities" not in body
    assert "model;dur=" in answer.headers["Server-Timing"]


def test_many_rows_are_objects_in_any_order_or_arrays_in_the_signatures(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    answer = alice.post(PREDICT, json={"instances": [{"b": 2, "a": 1}, [3, 4]]})

    assert answer.json()["predictions"] == [3.0, 7.0]


@pytest.mark.parametrize(
    "path",
    [
        "sum/predict",
        "sum/predict/",
        "sum@champion/predict",
        "sum@champion/predict/",
        "sum/versions/1/predict",
        "sum/versions/1/predict/",
    ],
)
def test_every_address_of_a_version_answers_the_same(acme: House, alice: httpx.Client, path: str) -> None:
    ready_sum_model(acme)

    assert alice.post(f"/api/v1/models/{path}", json={"a": 1, "b": 2}).json()["prediction"] == 3.0


def test_the_answer_is_written_by_the_codec_and_not_by_the_framework(acme: House, alice: httpx.Client) -> None:
    """The lane answers the same bytes: no space, the fewest digits, in the contract's order."""
    ready_sum_model(acme)

    answer = alice.post(PREDICT, json={"instances": [[1e16, 1], [0.1, 0.2]]})
    indented = alice.post(PREDICT, json={"a": 1, "b": 2}, headers={"Accept": "application/json; indent=4"})

    id, warnings = answer.json()["id"], answer.text.partition(',"warnings":')[2]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == (
        f'{{"predictions":[1e16,0.30000000000000004],"model":"sum","version":1,"id":"{id}","warnings":{warnings}'
    )
    assert indented.text.startswith('{\n    "prediction": 3.0,\n')


def test_csv_in_gives_the_same_rows_with_the_answer(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    answer = alice.post(PREDICT, content="b,a\n2,1\n4,3\n", headers={"Content-Type": "text/csv", "Accept": "text/csv"})

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines() == ["b,a,prediction", "2,1,3.0", "4,3,7.0"]


def test_outside_the_training_range_is_a_warning_and_no_error(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    body = alice.post(PREDICT, json={"a": 100, "b": 2}).json()

    assert body["prediction"] == 102.0
    assert body["warnings"][0]["attr"] == "a"


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ('{"a": "1", "b": 2}', "a", None),
        ('{"a": true, "b": 2}', "a", None),
        ('{"a": null, "b": 2}', "a", None),
        ('{"b": 2}', "a", None),
        ('{"a": 1, "b": 2, "c": 3}', "c", None),
        ('{"a": 1, "a": 1, "b": 2}', None, None),
        ('{"a": NaN, "b": 2}', None, None),
        ('{"a": 1e999, "b": 2}', None, None),
        ('{"a": 9007199254740993, "b": 2}', "a", None),
        ("[1, 2]", None, None),
        ("", None, None),
        ("{", None, None),
        ("[" * 100_000 + "]" * 100_000, None, None),
        ('{"a": 1, "b": ' * 50_000, None, None),
        ('{"instances": []}', None, None),
        ('{"instances": [[1]]}', None, None),
        ('{"instances": [{"a": 1, "b": 2}, {"a": "x", "b": 2}]}', "instances.1.a", None),
    ],
)
def test_what_does_not_fit_is_400_and_names_the_place(
    acme: House, alice: httpx.Client, body: str, attr: str | None, code: None
) -> None:
    ready_sum_model(acme)

    answer = alice.post(PREDICT, content=body.encode(), headers={"Content-Type": "application/json"})

    problem = answer.json()
    assert answer.status_code == 400, answer.text[:500]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["errors"]
    if attr is not None:
        assert attr in [fault["attr"] for fault in problem["errors"]]
    assert alice.post(PREDICT, json={"a": 1, "b": 2}).status_code == 200


def test_every_fault_is_named_at_once(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    faults = alice.post(PREDICT, json={"a": "x", "c": 1}).json()["errors"]

    assert {fault["attr"] for fault in faults} == {"a", "b", "c"}


def test_another_type_of_body_is_415(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    answer = alice.post(PREDICT, content=b"<a/>", headers={"Content-Type": "application/xml"})

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


def test_a_body_of_a_declared_gigabyte_is_413_before_it_is_read(acme: House, alice: httpx.Client) -> None:
    def endless() -> object:
        while True:
            yield b"x" * 65_536

    answer = alice.post(
        PREDICT, content=b"", headers={"Content-Length": str(1 << 30), "Content-Type": "application/json"}
    )

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_a_body_that_grows_beyond_the_limit_is_413_without_a_declared_length(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    answer = alice.post(
        PREDICT, content=b"x" * (17 << 20), headers={"Content-Length": "10", "Content-Type": "application/json"}
    )

    assert answer.status_code == 413


def test_unknown_models_versions_and_aliases_are_404(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    for path in (
        "other/predict/",
        "sum@canary/predict/",
        "sum/versions/9/predict/",
        f"sum/versions/{10**30}/predict/",
        "..%2Fx/predict/",
    ):
        assert alice.post(f"/api/v1/models/{path}", json={"a": 1, "b": 2}).status_code == 404, path


def test_another_tenants_model_and_none_at_all_are_the_same_bytes(acme: House, http_for: HttpFor) -> None:
    ready_sum_model(acme)
    carol = http_for("carol")

    def seen(name: str) -> bytes:
        answer = carol.post(f"/api/v1/models/{name}/predict/", json={"a": 1, "b": 2}, headers={"X-Request-ID": "same"})
        assert answer.status_code == 404
        return answer.content

    assert seen("sum") == seen("none")


def test_a_key_limited_to_other_models_sees_none_of_this_one(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    ready_sum_model(acme)
    with acme.inside():
        APIKey.objects.filter(user__username="bob").update(model_names=["other"])

    assert http_for("bob").post(PREDICT, json={"a": 1, "b": 2}).status_code == 404


def test_a_key_without_the_scope_may_not_ask(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    ready_sum_model(acme)
    with acme.inside():
        APIKey.objects.filter(user__username="bob").update(scopes=["models:read"])

    answer = http_for("bob").post(PREDICT, json={"a": 1, "b": 2})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_file_that_was_tampered_with_is_not_served(acme: House, alice: httpx.Client) -> None:
    from django.conf import settings

    version = ready_sum_model(acme)
    path = settings.ARTIFACT_ROOT / str(acme.tenant.id) / version.sha256
    path.write_bytes(path.read_bytes() + b"\0")

    answer = alice.post(PREDICT, json={"a": 1, "b": 2})

    path.unlink()
    assert (answer.status_code, answer.json()["code"]) == (503, "artifact_damaged")


def test_a_row_that_was_tampered_with_is_not_served(acme: House, alice: httpx.Client) -> None:
    from foretell.registry.models import ModelVersion

    version = ready_sum_model(acme)
    with acme.inside():
        signature = version.signature
        signature["inputs"][0]["limits"] = [0, 1]
        ModelVersion.objects.filter(pk=version.pk).update(signature=signature)

    answer = alice.post(PREDICT, json={"a": 1, "b": 2})

    assert (answer.status_code, answer.json()["code"]) == (503, "seal_broken")


def test_a_suspended_tenant_answers_403_and_comes_back_whole(acme: House, alice: httpx.Client) -> None:
    from django.utils import timezone

    from foretell.tenants.services import resume_tenant, suspend_tenant

    ready_sum_model(acme)
    suspend_tenant(tenant=acme.tenant, now=timezone.now())
    assert alice.post(PREDICT, json={"a": 1, "b": 2}).status_code == 403

    resume_tenant(tenant=acme.tenant)

    assert alice.post(PREDICT, json={"a": 1, "b": 2}).status_code == 200
