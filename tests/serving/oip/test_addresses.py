"""The protocol's addresses beside inference, and errors: whatever fails has a text named `error`."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.serving.passengers import add_passengers
from tests.serving.world import World, limited, principal

MATRIX = {"name": "input-0", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}
BODY = {"inputs": [MATRIX]}


@pytest.fixture
def alice(world: World) -> httpx.Client:
    add_passengers(world)
    return world.client()


def error(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert isinstance(body["error"], str)
    assert body["error"]
    return answer.status_code, body["error"]


# --- what there is ---


@pytest.mark.parametrize("person", ["alice", None])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("where", ["live", "ready"])
def test_health_is_public(world: World, person: str | None, method: str, where: str) -> None:
    answer = world.client(person).request(method, f"/v2/health/{where}")

    assert answer.status_code == 200
    if method == "GET":
        assert answer.json() == {"live": True} | ({"ready": True} if where == "ready" else {})


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server_names_its_extensions(alice: httpx.Client, path: str) -> None:
    assert alice.get(path).json()["extensions"] == ["binary_tensor_data", "model_repository"]


@pytest.mark.parametrize("path", ["titanic", "titanic@champion", "titanic/versions/3"])
def test_metadata_come_from_the_signature(alice: httpx.Client, path: str) -> None:
    body = alice.get(f"/v2/models/{path}").json()

    assert (body["name"], body["versions"], body["platform"]) == ("titanic", ["3"], "onnxruntime_onnx")
    assert [tensor["name"] for tensor in body["outputs"]] == ["predict", "predict_proba"]
    assert {"name": "sex", "datatype": "BYTES", "shape": [-1], "parameters": {"content_type": "str"}} in body["inputs"]
    assert body["properties"] == {"version": "3", "task": "binary", "classes_predict_proba": '["died","survived"]'}


def test_models_and_versions_are_ready_or_say_why_not(alice: httpx.Client) -> None:
    assert alice.get("/v2/models/titanic/ready").json() == {"name": "titanic", "ready": True}
    assert alice.get("/v2/models/titanic/versions/3/ready").status_code == 200
    assert error(alice.get("/v2/models/titanic/versions/4/ready"))[0] == 503
    assert error(alice.get("/v2/models/titanic@next/ready"))[0] == 503
    assert "no graph" in error(alice.get("/v2/models/titanic/versions/5/ready"))[1]


def test_models_are_listed(alice: httpx.Client) -> None:
    assert alice.get("/v2/models").json() == {"models": ["sum", "titanic"]}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": false}'])
def test_the_index_has_every_version_with_its_state(alice: httpx.Client, body: bytes) -> None:
    entries = alice.post("/v2/repository/index", content=body).json()

    assert [(entry["name"], entry["version"], entry["state"]) for entry in entries] == [
        ("sum", "1", "READY"), ("titanic", "3", "READY"), ("titanic", "4", "LOADING"), ("titanic", "5", "UNAVAILABLE"),
    ]  # fmt: skip
    assert entries[3]["reason"] == "no graph"


def test_the_index_may_be_of_ready_versions_only(alice: httpx.Client) -> None:
    entries = alice.post("/v2/repository/index", json={"ready": True}).json()

    assert {entry["state"] for entry in entries} == {"READY"}


@pytest.mark.parametrize("verb", ["load", "unload"])
@pytest.mark.parametrize("body", [None, {"parameters": {"unload_dependents": False}}])
def test_what_is_servable_is_loaded_and_let_go_by_itself(alice: httpx.Client, verb: str, body: Any) -> None:
    assert alice.post(f"/v2/repository/models/sum/{verb}", json=body).json() == {"name": "sum", verb: True}
    assert error(alice.post(f"/v2/repository/models/nothing/{verb}", json=body))[0] == 400
    assert alice.post("/v2/models/sum/infer", json=BODY).status_code == 200


# --- what there is not ---


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/nothing", 404), ("GET", "/v2/models/nothing/ready", 404), ("POST", "/v2/models/nothing/infer", 404),
        ("GET", "/v2/models/sum/versions/9", 404), ("GET", "/v2/models/sum/versions/latest", 404), ("GET", "/v2/models/sum/versions/-1", 404),
        ("POST", "/v2/models/sum/versions/9/infer", 404), ("POST", "/v2/models/sum@beta/infer", 404),
        ("POST", "/v2/models/a%2Fb/infer", 404), ("POST", "/v2/models/../infer", 404), ("POST", "/v2/models/%00/infer", 404),
        ("GET", "/v2/models/sum/config", 404), ("GET", "/v2/models/sum/stats", 404), ("POST", "/v2/models/sum/generate", 404),
        ("POST", "/v2/models/sum/infer_stream", 404), ("GET", "/v2/docs", 404), ("GET", "/v2/anything", 404),
        ("GET", "/v2/models/sum/infer", 405), ("PUT", "/v2/models/sum", 405), ("POST", "/v2", 405), ("GET", "/v2/repository/index", 405),
        ("DELETE", "/v2/models/sum", 405), ("OPTIONS", "/v2/models/sum/infer", 405), ("PATCH", "/v2/health/live", 405),
    ],
)  # fmt: skip
def test_the_routers_errors_have_the_protocols_shape(alice: httpx.Client, method: str, path: str, status: int) -> None:
    answer = alice.request(method, path, json=BODY if method == "POST" else None)

    assert error(answer)[0] == status
    assert ("allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2"),
        ("GET", "/v2/models"),
        ("GET", "/v2/models/sum"),
        ("GET", "/v2/models/sum/ready"),
        ("POST", "/v2/models/sum/infer"),
        ("POST", "/v2/repository/index"),
        ("POST", "/v2/repository/models/sum/load"),
        ("POST", "/v2/repository/models/sum/unload"),
    ],
)
def test_everything_but_health_needs_a_credential(world: World, method: str, path: str) -> None:
    answer = world.client(None).request(method, path)

    assert error(answer) == (401, "Authentication credentials were not provided.")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert error(world.client("carol").request(method, path))[0] == 401


def test_who_may_only_read_sees_but_does_not_predict(world: World) -> None:
    bob = world.client("bob")

    assert bob.get("/v2/models/sum").status_code == 200
    assert error(bob.post("/v2/models/sum/infer", json=BODY))[0] == 403


def test_what_a_key_is_not_for_is_not_there(world: World) -> None:
    add_passengers(world)
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    narrow = {
        name: replace(key, principal=principal("acme", "alice", models=frozenset({"titanic"})))
        for name, key in tenant.keys.items()
    }
    world.change("acme", keys=narrow)
    client = world.client(**{"X-Request-ID": "same"})

    assert client.get("/v2/models").json() == {"models": ["titanic"]}
    assert {entry["name"] for entry in client.post("/v2/repository/index").json()} == {"titanic"}
    for method, path in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        hidden, missing = (client.request(method, f"/v2/models/{name}{path}") for name in ("sum", "nothing"))
        assert hidden.status_code == 404
        assert hidden.content == missing.content


def test_over_the_limit_is_429_with_when_to_come_back(world: World) -> None:
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    once = principal("acme", "alice", claims=(limited("acme", "alice", "1/min"),))
    world.change("acme", keys={name: replace(key, principal=once) for name, key in tenant.keys.items()})
    client = world.client()

    first, second = (client.post("/v2/models/sum/infer", json=BODY) for _ in range(2))

    assert first.status_code == 200
    assert error(second)[0] == 429
    assert int(second.headers["retry-after"]) >= 1
    assert second.headers["ratelimit"].startswith('"user";r=0;')


@pytest.mark.parametrize(
    "content_type", ["text/csv", "text/plain", "multipart/form-data", "application/json; charset=utf-16"]
)
def test_a_body_of_another_type_is_415(alice: httpx.Client, content_type: str) -> None:
    answer = alice.post("/v2/models/sum/infer", content=b"{}", headers={"Content-Type": content_type})

    assert error(answer)[0] == 415


def test_a_large_body_is_413(alice: httpx.Client) -> None:
    assert error(alice.post("/v2/models/sum/infer", content=b"{}", headers={"Content-Length": str(10**10)}))[0] == 413


def test_an_unknown_tenant_has_one_constant_body(world: World) -> None:
    first, second = (world.client(tenant=name).get("/v2/models/sum") for name in ("nobody", "no-one"))

    assert error(first)[0] == 404
    assert first.content == second.content


def test_faults_are_named_each(alice: httpx.Client) -> None:
    answer = alice.post("/v2/models/sum/infer", json={"inputs": [{**MATRIX, "shape": [5, 2], "data": [None] * 10}]})

    assert error(answer)[1].endswith("(7 more)")
    assert len(answer.json()["errors"]) == 10
    assert answer.json()["errors"][0]["attr"] == "rows.0.a"


def test_what_breaks_here_says_nothing_but_its_request(world: World) -> None:
    world.models.lend = lambda *_: 1 / 0  # type: ignore[method-assign,assignment]  # breaks

    status, message = error(world.client().post("/v2/models/sum/infer", json=BODY))

    assert status == 500
    assert "division" not in message
