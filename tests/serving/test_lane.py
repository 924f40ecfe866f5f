"""What the lane answers itself, what it refuses, and what it hands on: over the ports in memory."""

import asyncio
import base64
import gc
import json
import time
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from foretell.refusals import ModelNotFound
from foretell.serving import services
from foretell.serving.catalogue import Key, Model, Tenant
from foretell.serving.lane import Lane
from foretell.serving.responses import MEMO
from tests.http import ASGITransport
from tests.serving.world import MAX_BODY_BYTES, World, limited, loaded_sum, principal, sum_version

PREDICT = "/api/v1/models/sum/predict/"
ROW = {"a": 1, "b": 2}


def test_one_row_is_answered_in_the_plainest_shape(world: World) -> None:
    answer = world.client().post(PREDICT, json=ROW)

    body = answer.json()
    assert answer.status_code == 200
    assert (body["prediction"], body["model"], body["version"]) == (3.0, "sum", 1)
    assert len(body["id"]) == 36
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert "model;dur=" in answer.headers["server-timing"]
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["ratelimit-policy"] == '"user";q=1000;w=60'
    assert answer.headers["ratelimit"].startswith('"user";r=999;')


@pytest.mark.parametrize(
    "path", ["sum/predict", "sum@champion/predict/", "sum@champion/predict", "sum/versions/1/predict/"]
)
def test_every_address_of_a_version_answers_the_same(world: World, path: str) -> None:
    assert world.client().post(f"/api/v1/models/{path}", json=ROW).json()["prediction"] == 3.0


def test_a_tenant_is_found_below_its_prefix_too(world: World) -> None:
    with world.client(tenant="globex") as at_globex:
        assert at_globex.post(f"/t/acme{PREDICT}", json=ROW).json()["prediction"] == 3.0


@pytest.mark.parametrize("path", [PREDICT, f"/t/acme{PREDICT}", "/t/acme/v2/models/sum/infer"])
def test_at_the_operators_host_there_is_no_tenant(world: World, path: str) -> None:
    with world.client(tenant="operators") as at_operators:
        assert at_operators.post(path, json=ROW).status_code == 404


def test_csv_in_gives_the_same_rows_with_the_answer(world: World) -> None:
    answer = world.client().post(
        PREDICT, content="b,a\n2,1\n", headers={"Content-Type": "text/csv", "Accept": "text/csv"}
    )

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines() == ["b,a,prediction", "2,1,3.0"]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", PREDICT, {}),
        ("OPTIONS", PREDICT, {}),
        ("POST", "/api/v1/models/", {}),
        ("POST", f"{PREDICT}?format=csv", {}),
        ("POST", PREDICT, {"Accept": "text/html"}),
        ("POST", PREDICT, {"Idempotency-Key": "1"}),
        ("POST", PREDICT, {"Origin": "https://shop.example"}),
        ("POST", PREDICT, {"Content-Encoding": "gzip"}),
        ("POST", PREDICT, {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
def test_what_is_not_its_business_goes_on_untouched(
    world: World, method: str, path: str, headers: dict[str, str]
) -> None:
    headers = {"Content-Type": "application/json", **headers}

    assert world.client().request(method, path, content=b"{}", headers=headers).status_code == 299


def test_a_session_without_another_credential_is_djangos_business(world: World) -> None:
    assert world.client(None, Cookie="foretell-session=x").post(PREDICT, json=ROW).status_code == 299


def test_a_prediction_is_logged_before_it_is_answered(world: World) -> None:
    answer = world.client().post(PREDICT, json=ROW, headers={"X-Request-ID": "mine"})

    (record,) = world.log.records
    assert json.loads(record.inputs or b"") == ROW
    assert record.outputs == answer.content
    assert (record.face, record.user_id, record.key_id, record.request_id) == ("rest", "alice", "key-alice", "mine")
    assert answer.json()["id"].replace("-", "") == record.id.hex()


def test_hidden_inputs_are_not_in_the_log(world: World) -> None:
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    hidden = tenant.models["sum"].__class__(
        name="sum", versions={1: sum_version()}, aliases={"champion": 1}, log_payload="redacted", redacted_inputs=("a",)
    )
    world.change("acme", models={"sum": hidden})

    world.client().post(PREDICT, json={"a": 7.25, "b": 2})

    assert json.loads(world.log.records[0].inputs or b"") == {"a": [None], "b": [2.0]}


# --- refusals -----------------------------------------------------------------------------------------------------------


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_nobody_gets_in_without_a_credential(world: World) -> None:
    answer = world.client(None).post(PREDICT, json=ROW)

    assert problem(answer) == (401, "not_authenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    ["Bearer nonsense", "Bearer ft_aaaaaaaaaa_" + "0" * 38, "Basic !!!", "Basic " + base64.b64encode(b"a:b").decode()],
)
def test_an_unknown_credential_is_refused(world: World, header: str) -> None:
    assert problem(world.client(None, Authorization=header).post(PREDICT, json=ROW)) == (401, "authentication_failed")


def test_a_key_holds_in_its_own_tenant_only(world: World) -> None:
    assert problem(world.client("carol").post(PREDICT, json=ROW)) == (401, "authentication_failed")


def test_basic_takes_a_persons_password_and_a_keys_id_and_secret(world: World) -> None:
    _, key_id, rest = world.shown["alice"].split("_")
    for pair in ("alice:a long enough passphrase", f"{key_id}:{rest}", f"{key_id}:{world.shown['alice']}"):
        header = "Basic " + base64.b64encode(pair.encode()).decode()
        assert world.client(None, Authorization=header).post(PREDICT, json=ROW).status_code == 200


def test_a_key_in_a_header_of_its_own_is_taken(world: World) -> None:
    assert world.client(None, **{"X-API-Key": world.shown["alice"]}).post(PREDICT, json=ROW).status_code == 200


def test_a_role_without_predictions_is_refused(world: World) -> None:
    assert problem(world.client("bob").post(PREDICT, json=ROW)) == (403, "permission_denied")


def test_a_revoked_key_is_refused_at_the_next_request(world: World) -> None:
    client = world.client()
    assert client.post(PREDICT, json=ROW).status_code == 200

    world.change("acme", keys={})

    assert problem(client.post(PREDICT, json=ROW)) == (401, "authentication_failed")


def test_an_expired_key_is_refused(world: World) -> None:
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    expired = {name: key.__class__(key.digest, key.principal, expires_at=1.0) for name, key in tenant.keys.items()}
    world.change("acme", keys=expired)

    assert problem(world.client().post(PREDICT, json=ROW)) == (401, "authentication_failed")


def test_what_a_key_may_not_see_is_as_if_it_were_not_there(world: World) -> None:
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    seen = {
        name: key.__class__(key.digest, principal("acme", "alice", models=frozenset({"other"})))
        for name, key in tenant.keys.items()
    }
    world.change("acme", keys=seen)
    client = world.client(**{"X-Request-ID": "same"})

    hidden, missing = (client.post(f"/api/v1/models/{name}/predict/", json=ROW) for name in ("sum", "nothing"))

    assert problem(hidden) == (404, "not_found")
    assert hidden.content == missing.content


def test_unknown_versions_and_aliases_say_what_there_is_to_do(world: World) -> None:
    client = world.client()

    assert "no version 9" in client.post("/api/v1/models/sum/versions/9/predict", json=ROW).json()["detail"]
    assert "no alias 'beta'" in client.post("/api/v1/models/sum@beta/predict", json=ROW).json()["detail"]


def test_a_suspended_tenant_is_refused(world: World) -> None:
    world.change("acme", is_suspended=True)

    assert problem(world.client().post(PREDICT, json=ROW)) == (403, "tenant_suspended")


def test_an_unknown_address_has_one_constant_body(world: World) -> None:
    first, second = (world.client(tenant=name).post(PREDICT, json=ROW) for name in ("nobody", "no-one"))

    assert first.status_code == 404
    assert first.content == second.content


def test_two_host_headers_are_no_address(world: World) -> None:
    client = world.client()
    request = client.build_request(
        "POST", PREDICT, json=ROW, headers=[("Host", "acme.localhost"), ("Host", "acme.localhost")]
    )

    assert client.send(request).status_code == 404


def test_what_is_over_the_limit_is_told_when_to_come_back(world: World) -> None:
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    claims = (limited("acme", "alice", "2/min"),)
    slow = {
        name: key.__class__(key.digest, principal("acme", "alice", claims=claims)) for name, key in tenant.keys.items()
    }
    world.change("acme", keys=slow)
    client = world.client()

    answers = [client.post(PREDICT, json=ROW) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert problem(answers[2]) == (429, "throttled")
    assert 1 <= int(answers[2].headers["retry-after"]) <= 31
    assert answers[2].headers["ratelimit"].startswith('"user";r=0;')


def test_a_large_body_is_refused_by_its_declared_length(world: World) -> None:
    answer = world.client().post(
        PREDICT, content=b"{}", headers={"Content-Type": "application/json", "Content-Length": str(10**10)}
    )

    assert problem(answer) == (413, "too_large")
    assert answer.headers["connection"] == "close"


def test_a_large_body_without_a_length_is_refused_as_soon_as_it_is_too_large(world: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65_536 + 2):
            yield b"x" * 65_536

    answer = asyncio.run(streamed(world, chunks()))

    assert problem(answer) == (413, "too_large")


async def streamed(world: World, content: AsyncIterator[bytes]) -> httpx.Response:
    transport = httpx.ASGITransport(app=world.lane)
    headers = {"Authorization": f"Bearer {world.shown['alice']}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://acme.localhost", headers=headers) as client:
        return await client.post(PREDICT, content=content)


def test_bad_rows_name_the_place(world: World) -> None:
    answer = world.client().post(PREDICT, json={"a": "1", "b": 2})

    assert problem(answer) == (400, "invalid_input")
    assert answer.json()["errors"][0]["attr"] == "a"


def test_a_model_that_cannot_be_loaded_is_the_faces_error(world: World) -> None:
    world.models._models.clear()

    assert problem(world.client().post(PREDICT, json=ROW)) == (404, ModelNotFound().code)


def test_what_was_lent_is_given_back_whatever_happens(world: World) -> None:
    client = world.client()
    client.post(PREDICT, json=ROW)
    client.post(PREDICT, json={"a": "1"})

    assert set(world.models.lent.values()) == {0}


def test_whoever_was_let_in_is_looked_at_again_when_anything_of_the_tenant_changed(world: World) -> None:
    """The control is the first answer: the same head, over the same connection, was let in a moment before."""
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    (key,) = (held for held in tenant.keys.values() if held.principal.user_id == "alice")
    others = {id: held for id, held in tenant.keys.items() if held is not key}
    changes: dict[int, dict[str, Any]] = {
        401: {"keys": others},
        403: {"keys": {**tenant.keys, **_with(tenant, key, may_predict=False)}, "is_suspended": False},
        404: {"models": {}},
        429: {"keys": {**tenant.keys, **_with(tenant, key, claims=(limited("acme", "alice", "1/day"),))}},
    }
    for status, change in changes.items():
        client = world.client()
        assert client.post(PREDICT, json=ROW).status_code == 200

        world.change("acme", **change)
        if status == 429:
            client.post(PREDICT, json=ROW)
        assert client.post(PREDICT, json=ROW).status_code == status

        world.change("acme", keys=tenant.keys, models=tenant.models)


@pytest.mark.parametrize(("late_s", "status"), [(0.0, 401), (60.0, 200)])
def test_a_key_that_is_revoked_while_a_body_is_long_in_coming_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, late_s: float, status: int
) -> None:
    """Security: else whoever has sent many heads before has as many answers after. The control takes no body for late."""
    monkeypatch.setattr(services, "LATE_S", late_s)

    async def late_body() -> AsyncIterator[bytes]:
        yield b'{"a": 1,'
        world.change("acme", keys={})
        yield b'"b": 2}'

    answer = asyncio.run(streamed(world, late_body()))

    assert answer.status_code == status
    assert len(world.log.records) == (status == 200)


def test_a_body_that_is_long_in_coming_is_answered_by_what_its_alias_leads_to_then_and_counted_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LATE_S", 0.0)
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    world.models.put(tenant, sum_version(2, 2), loaded_sum())
    versions = {1: sum_version(), 2: sum_version(2, 2)}

    async def late_body() -> AsyncIterator[bytes]:
        yield b'{"a": 1,'
        world.change("acme", models={"sum": Model(name="sum", versions=versions, aliases={"champion": 2})})
        yield b'"b": 2}'

    answer = asyncio.run(streamed(world, late_body()))

    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert answer.headers["ratelimit"].startswith('"user";r=999;')


def test_what_a_connection_remembers_keeps_no_tenant_s_entry_alive(world: World) -> None:
    """Else each of its heads would hold everything that was known when it came, and a thousand connections thousands of that."""
    memo: dict[Any, Any] = {}

    async def with_a_memo(scope: Any, receive: Any, send: Any) -> None:
        await world.lane({**scope, "extensions": {MEMO: memo}}, receive, send)

    headers = {"Authorization": f"Bearer {world.shown['alice']}"}
    with httpx.Client(
        transport=ASGITransport(with_a_memo), base_url="http://acme.localhost", headers=headers
    ) as client:
        assert client.post(PREDICT, json=ROW).status_code == 200
        entry = weakref.ref(world.catalogue.named("acme"))
        assert client.post(PREDICT, json=ROW).status_code == 200
    (_, head) = memo[Lane]
    assert head.admission.tenant is entry()

    world.change("acme", models={})
    gc.collect()

    assert head.admission is not None
    assert entry() is None

    world.catalogue._by_name.clear()
    with httpx.Client(
        transport=ASGITransport(with_a_memo), base_url="http://acme.localhost", headers=headers
    ) as client:
        assert (
            client.post(PREDICT, json=ROW).status_code == 404
        )  # nobody's address, and nobody's entry, are not the same one


def test_a_key_that_expires_is_refused_though_nothing_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant, now = world.catalogue.named("acme"), time.time_ns()
    assert tenant is not None
    world.change("acme", keys={id: replace(key, expires_at=now / 1e9 + 30) for id, key in tenant.keys.items()})
    client = world.client()
    assert client.post(PREDICT, json=ROW).status_code == 200

    monkeypatch.setattr(time, "time_ns", lambda: now + 31_000_000_000)
    assert client.post(PREDICT, json=ROW).status_code == 401


def _with(tenant: Tenant, key: Key, **changes: Any) -> dict[str, Key]:
    """Return the key under its id, of somebody who is not what they were."""
    (id,) = (id for id, held in tenant.keys.items() if held is key)
    return {id: replace(key, principal=replace(key.principal, **changes))}
