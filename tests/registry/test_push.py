"""Pushing a version over REST, and what becomes of it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import converted_sum_model, ready_sum_model, sum_graph

VERSIONS = "/api/v1/models/sum/versions/"


def push(client: httpx.Client, *, path: str = VERSIONS, files: Any = None, **metadata: Any) -> httpx.Response:
    files = files if files is not None else [("artifact", ("sum.onnx", sum_graph()))]
    return client.post(
        path, files=files, data={"metadata": json.dumps({"converted": converted_sum_model(), **metadata})}
    )


def test_a_push_is_registered_numbered_and_queued(acme: House, erin: httpx.Client) -> None:
    answer = push(
        erin, metrics={"accuracy": 0.9}, tags={"team": "a"}, lineage={"git_commit": "abc", "libraries": {"onnx": "1"}}
    )

    version = answer.json()
    assert answer.status_code == 201, answer.text
    assert (version["model"], version["version"], version["state"], version["created_by"]) == (
        "sum",
        1,
        "quarantined",
        "erin",
    )
    assert (version["metrics"], version["tags"]) == ({"accuracy": 0.9}, {"team": "a"})
    assert answer.headers["Location"] == version["url"]
    from procrastinate.contrib.django.models import ProcrastinateJob

    from foretell.core.tenancy import use_public

    with use_public():  # the queue is not a tenant's to read
        assert ProcrastinateJob.objects.filter(args__tenant=str(acme.tenant.id), status="todo").count() >= 1


def test_the_same_push_again_is_the_same_version(acme: House, erin: httpx.Client) -> None:
    push(erin)

    again = push(erin)

    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert push(erin, refinements={"inputs": {"a": {"unit": "m"}}}).json()["version"] == 2


def test_a_repeated_push_still_moves_the_alias_that_it_names(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")
    again: dict[str, Any] = {"converted": {**converted_sum_model(), "reason": "second"}}

    assert push(alice, **again).json()["aliases"] == []
    answer = push(alice, **again, alias="champion")

    assert (answer.status_code, answer.json()["version"], answer.json()["aliases"]) == (200, 2, ["champion"])


def test_a_repeated_push_names_the_alias_of_a_version_that_is_still_being_built(
    acme: House, alice: httpx.Client
) -> None:
    from foretell.registry.models import ModelVersion

    push(alice)
    push(alice, alias="canary")

    with acme.inside():
        assert ModelVersion.objects.get().wanted_alias == "canary"


def test_equal_pushes_at_once_are_one_version_and_different_ones_have_no_gaps(acme: House, http_for: HttpFor) -> None:
    clients = [http_for("erin") for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        numbers = list(
            pool.map(
                lambda pair: push(pair[1], refinements={"inputs": {"a": {"help": str(pair[0] // 2)}}}).json()[
                    "version"
                ],
                enumerate(clients),
            )
        )

    assert sorted(set(numbers)) == [1, 2, 3, 4]


def test_a_failed_push_is_tried_again_under_its_number(acme: House, erin: httpx.Client) -> None:
    from foretell.registry.models import ModelVersion

    push(erin)
    with acme.inside():
        ModelVersion.objects.update(state="failed", reason_code="job_crashed", reason="It crashed.")

    again = push(erin).json()

    assert (again["version"], again["state"], again["reason"]) == (1, "quarantined", None)


@pytest.mark.parametrize("name", ["..%2Fx", "a b", "-x", "x" * 101, "a%00b", "a@b"])
def test_a_name_that_cannot_be_one_is_refused_and_leaves_nothing(acme: House, erin: httpx.Client, name: str) -> None:
    answer = push(erin, path=f"/api/v1/models/{name}/versions/")

    assert answer.status_code in (400, 404), answer.text
    assert erin.get("/api/v1/models/").json()["count"] == 0


@pytest.mark.parametrize(
    ("files", "attr"),
    [
        ([("sample", ("s.csv", b"a,b\n1,2\n"))], "artifact"),
        ([("artifact", ("sum.onnx", b""))], "artifact"),
        ([("artifact", ("sum.onnx", sum_graph()))] * 9, "artifact"),
        ([("artifact", ("m", b"x")), ("other", ("o", b"x"))], "other"),
        ([("artifact", ("m", b"x")), ("sample", ("s", b"x")), ("sample", ("s", b"x"))], "sample"),
        ([("artifact", ("m", b"x")), ("sample", ("s", b""))], "sample"),
        ([("artifact", ("m", b"x")), ("sample", ("s", b"a,b\n"))], "sample"),
        ([("artifact", ("m", b"x")), ("sample", ("s", b"PAR1\0\0\n\0\0PAR1"))], "sample"),
        ([("artifact", ("m", b"x")), ("sample", ("s", "a,b\n1,2\n".encode("utf-16")))], "sample"),
    ],
)
def test_parts_that_cannot_be_a_push_are_named(acme: House, erin: httpx.Client, files: Any, attr: str) -> None:
    answer = push(erin, files=files)

    assert answer.status_code == 400, answer.text
    assert attr in {fault["attr"] for fault in answer.json()["errors"]}
    assert erin.get("/api/v1/models/").json()["count"] == 0


@pytest.mark.parametrize(
    ("metadata", "attr"),
    [
        ({"colour": "red"}, "metadata.colour"),
        ({"metrics": {"accuracy": "high"}}, "metadata.metrics.accuracy"),
        ({"metrics": {"accuracy": True}}, "metadata.metrics.accuracy"),
        ({"tags": ["a"]}, "metadata.tags"),
        ({"target": 1}, "metadata.target"),
        ({"lineage": {"data_sha256": "x"}}, "metadata.lineage.data_sha256"),
        ({"lineage": {"home": "x"}}, "metadata.lineage.home"),
        ({"accept_difference": -1}, "metadata.accept_difference"),
        ({"description": "x\0y"}, "metadata"),
    ],
)
def test_metadata_is_read_strictly_and_each_fault_has_its_path(
    acme: House, erin: httpx.Client, metadata: dict[str, Any], attr: str
) -> None:
    answer = push(erin, **metadata)

    assert answer.status_code == 400, answer.text
    assert attr in {fault["attr"] for fault in answer.json()["errors"]}, answer.text


@pytest.mark.parametrize("text", ["{", "[]", '{"a": NaN}', "[" * 100_000, '{"metrics": {}, "metrics": {}}'])
def test_metadata_that_is_no_json_object_is_400(acme: House, erin: httpx.Client, text: str) -> None:
    answer = erin.post(VERSIONS, files=[("artifact", ("sum.onnx", sum_graph()))], data={"metadata": text})

    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ([("artifact", ("sum.onnx", b"x"))] * 101, "{}"),
        ([("artifact", ("sum.onnx", b"x"))], '{"description": "' + "x" * (9 << 20) + '"}'),
        ([("artifact", ("sum.onnx", b"x"))], '{"description": "' + "x" * (17 << 20) + '"}'),
    ],
    ids=["101 files", "9 MB of metadata", "17 MB of metadata"],
)
def test_a_body_beyond_every_limit_is_the_senders_fault_not_ours(
    acme: House, erin: httpx.Client, files: Any, text: str
) -> None:
    answer = erin.post(VERSIONS, files=files, data={"metadata": text})

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json"), answer.text


def test_a_viewer_may_not_push_and_an_editor_may_not_move_an_alias(
    acme: House, bob: httpx.Client, erin: httpx.Client
) -> None:
    assert push(bob).status_code == 403
    assert push(erin, alias="champion").status_code == 403


def test_an_editors_first_version_waits_for_an_admin_to_promote_it(acme: House, erin: httpx.Client) -> None:
    ready_sum_model(acme, by="erin")

    answer = erin.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "foretell promote sum:1" in answer.json()["detail"]


def test_the_artifact_is_what_was_built_and_needs_no_second_download(acme: House, bob: httpx.Client) -> None:
    version = ready_sum_model(acme)
    path = f"{VERSIONS}1/artifact/"

    answer = bob.get(path)

    assert answer.content == sum_graph()
    assert answer.headers["ETag"] == f'"{version.sha256}"'
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert bob.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_an_artifact_comes_in_pieces_and_is_never_held_whole(
    acme: House, bob: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.registry import storage
    from foretell.registry.views import file_chunks

    def read(sha256: str) -> bytes:
        raise AssertionError("The whole file was read.")

    ready_sum_model(acme)
    monkeypatch.setattr(storage, "read", read)
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 10)

    answer = bob.get(f"{VERSIONS}1/artifact/")

    assert answer.content == sum_graph()
    assert answer.headers["Content-Length"] == str(len(sum_graph()))


def test_an_artifact_that_was_damaged_on_disk_is_not_handed_out(acme: House, bob: httpx.Client) -> None:
    from django.conf import settings

    version = ready_sum_model(acme)
    path = settings.ARTIFACT_ROOT / str(acme.tenant.id) / version.sha256
    path.write_bytes(sum_graph() + b"x")

    answer = bob.get(f"{VERSIONS}1/artifact/")

    path.unlink()
    assert (answer.status_code, answer.json()["code"]) == (503, "artifact_damaged")


def test_the_artifact_of_a_row_that_was_tampered_with_is_not_handed_out(acme: House, bob: httpx.Client) -> None:
    from foretell.registry import storage
    from foretell.registry.models import ModelVersion

    version = ready_sum_model(acme)
    with acme.inside():
        other = storage.store([b"another file of the tenant's"])
        ModelVersion.objects.filter(pk=version.pk).update(sha256=other.sha256)

    answer = bob.get(f"{VERSIONS}1/artifact/")

    assert (answer.status_code, answer.json()["code"]) == (503, "seal_broken")


def test_a_version_that_is_being_built_says_so(acme: House, erin: httpx.Client, alice: httpx.Client) -> None:
    push(alice)

    answer = alice.post("/api/v1/models/sum/versions/1/predict/", json={"a": 1, "b": 2})

    assert (answer.status_code, answer.json()["code"]) == (409, "version_not_ready")
