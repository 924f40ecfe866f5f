"""Pages of other sites may read the protocols' answers where their tenant allows it, and by default nowhere."""

import httpx
import pytest

from tests.serving.world import World

APP = "https://app.example.com"
INFER, PREDICT, INVOKE = "/v2/models/sum/infer", "/v1/models/sum:predict", "/models/sum/invocations"
TENSORS = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}
ROWS = {INFER: TENSORS, PREDICT: {"instances": [[1, 2]]}, INVOKE: {"instances": [[1, 2]]}}
ORIGIN = {"Origin": APP}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def told(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ROWS)
def test_by_default_no_other_sites_page_is_told_anything(world: World, path: str) -> None:
    asked = world.client().post(path, json=ROWS[path], headers=ORIGIN)
    preflight = world.client(None).options(path, headers=PREFLIGHT)

    assert (asked.status_code, preflight.status_code) == (200, 405)
    for answer in (asked, preflight):
        assert told(answer) == []
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ROWS)
def test_a_site_that_is_allowed_is_told_so_also_before_it_asks_and_when_it_is_refused(world: World, path: str) -> None:
    world.change("acme", origins=frozenset([APP]))

    preflight = world.client(None).options(path, headers=PREFLIGHT)
    asked = world.client().post(path, json=ROWS[path], headers=ORIGIN)
    refused = world.client(None).post(path, json=ROWS[path], headers=ORIGIN)

    assert (preflight.status_code, preflight.content) == (200, b"")
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Content-Type", "X-API-Key"} <= set(
        preflight.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert (asked.status_code, refused.status_code) == (200, 401)
    for answer in (preflight, asked, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "RateLimit" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin", ["http://app.example.com", f"{APP}:8443", f"{APP}.evil.example", "https://evil.example", "null", ""]
)
def test_no_other_origin_is_taken_for_it(world: World, origin: str) -> None:
    world.change("acme", origins=frozenset([APP]))

    assert told(world.client().post(INFER, json=TENSORS, headers={"Origin": origin})) == []


def test_any_origin_is_never_told_with_credentials(world: World) -> None:
    world.change("acme", origins=frozenset(["*"]))

    answer = world.client().post(INFER, json=TENSORS, headers={"Origin": "https://anywhere.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_one_tenants_sites_are_not_anothers_nor_nobodys(world: World) -> None:
    world.change("acme", origins=frozenset([APP]))

    assert told(world.client("carol", tenant="globex").post(INFER, json=TENSORS, headers=ORIGIN)) == []
    assert told(world.client(None, tenant="nobody").options(INFER, headers=PREFLIGHT)) == []


def test_a_preflight_opens_no_address_that_is_not_there(world: World) -> None:
    world.change("acme", origins=frozenset([APP]))

    assert world.client(None).options("/v2/nothing", headers=PREFLIGHT).status_code == 404
    assert world.client(None).options(INFER, headers=ORIGIN).status_code == 405  # no preflight: it asks for no method


def test_who_comes_from_no_other_site_is_answered_as_ever(world: World) -> None:
    world.change("acme", origins=frozenset([APP]))

    answer = world.client().post(INFER, json=TENSORS)

    assert told(answer) == []
    assert "Vary" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", INFER), ("GET", PREDICT), ("GET", INVOKE), ("GET", "/v2/nothing"), ("GET", "/v1/nothing")],
)
def test_nobodys_address_is_refused_as_such_whatever_the_method(world: World, method: str, path: str) -> None:
    at_nobodys = world.client(None, tenant="nobody")
    there = at_nobodys.post(path, json={})
    here = world.client().request(method, path)

    assert at_nobodys.request(method, path).status_code == 404
    assert at_nobodys.request(method, path).content == there.content != here.content
