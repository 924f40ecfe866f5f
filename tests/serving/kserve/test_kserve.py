"""KServe's first protocol over the lane, and the root of the address, which stays a page for browsers."""

import json
from typing import Any

import httpx
import pytest

from tests.serving.passengers import ROW, add_passengers
from tests.serving.world import World

PREDICT = "/v1/models/sum:predict"


@pytest.fixture
def alice(world: World) -> httpx.Client:
    add_passengers(world)
    return world.client()


def error(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["error"], str)
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [[1, 5], [2, 6]]},
        {"instances": [{"a": 1, "b": 5}, {"b": 6, "a": 2}]},
        {"instances": [[1, 5], {"a": 2, "b": 6}], "signature_name": "serving_default"},
        {"inputs": [[1, 5], [2, 6]]},
        {"inputs": {"a": [1, 2], "b": [5, 6]}},
        {"inputs": {"a": [[1], [2]], "b": [[5], [6]]}},
    ],
)
def test_rows_in_any_form_have_the_same_answer(alice: httpx.Client, body: Any) -> None:
    answer = alice.post(PREDICT, json=body)

    assert answer.status_code == 200
    assert answer.json()["predictions"] == [6.0, 8.0]


def test_one_row_of_plain_values_is_a_row(alice: httpx.Client) -> None:
    assert alice.post(PREDICT, json={"inputs": {"a": 1, "b": 5}}).json()["predictions"] == [6.0]


@pytest.mark.parametrize(
    "path", ["/v1/models/sum@champion:predict", "/v1/models/sum/versions/1:predict", "/t/acme/v1/models/sum:predict"]
)
def test_every_address_of_a_version_answers(alice: httpx.Client, path: str) -> None:
    assert alice.post(path, json={"instances": [[1, 5]]}).json()["predictions"] == [6.0]


def test_words_and_probabilities_come_as_in_our_own_api(alice: httpx.Client, world: World) -> None:
    theirs = alice.post("/v1/models/titanic:predict", json={"instances": [ROW]}).json()
    ours = alice.post("/api/v1/models/titanic/predict/", json={"instances": [ROW]}).json()

    assert {name: theirs[name] for name in ("predictions", "probabilities", "model", "version")} == {
        name: ours[name] for name in ("predictions", "probabilities", "model", "version")
    }
    assert [record.face for record in world.log.records] == ["kserve", "rest"]
    assert json.loads(world.log.records[0].inputs or b"")["sex"] == ["female"]


def test_models_are_listed_and_ready(alice: httpx.Client) -> None:
    assert alice.get("/v1/models").json() == {"models": ["sum", "titanic"]}
    assert alice.get("/v1/models/sum").json() == {"name": "sum", "ready": True}
    assert error(alice.get("/v1/models/titanic@next"))[0] == 503


@pytest.mark.parametrize(
    "body",
    [
        {}, {"instances": []}, {"instances": 1}, {"instances": [[1]]}, {"instances": [[1, "5"]]}, {"instances": [[1, True]]}, {"instances": [{"a": 1}]},
        {"instances": [{"a": 1, "b": 2, "c": 3}]}, {"instances": [[1, 2]], "inputs": [[1, 2]]}, {"inputs": {"a": [1, 2], "b": [1]}},
        {"inputs": {"a": [1], "c": [1]}}, {"inputs": {"a": [1], "b": 1}}, {"inputs": 1}, {"inputs": {}}, [], None, 1,
    ],
)  # fmt: skip
def test_what_are_no_rows_is_refused(alice: httpx.Client, body: Any) -> None:
    assert error(alice.post(PREDICT, json=body))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/models/nothing:predict", 404), ("GET", "/v1/models/nothing", 404), ("GET", PREDICT, 405), ("POST", "/v1/models/sum", 405),
        ("POST", "/v1/models/sum:explain", 404), ("GET", "/v1", 404), ("GET", "/v1/anything", 404), ("POST", "/v1/models/sum@beta:predict", 404),
    ],
)  # fmt: skip
def test_the_routers_errors_have_the_protocols_shape(alice: httpx.Client, method: str, path: str, status: int) -> None:
    assert error(alice.request(method, path, json={"instances": [[1, 2]]} if method == "POST" else None))[0] == status


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/models"), ("GET", "/v1/models/sum"), ("POST", PREDICT)])
def test_everything_needs_a_credential(world: World, method: str, path: str) -> None:
    assert error(world.client(None).request(method, path))[0] == 401


def test_who_may_only_read_does_not_predict(world: World) -> None:
    assert error(world.client("bob").post(PREDICT, json={"instances": [[1, 2]]}))[0] == 403


def test_another_content_type_is_415(alice: httpx.Client) -> None:
    assert error(alice.post(PREDICT, content=b"a,b\n1,2", headers={"Content-Type": "text/csv"}))[0] == 415


# --- the root ---


def test_a_program_with_a_credential_finds_the_root_alive(alice: httpx.Client) -> None:
    assert alice.get("/").json() == {"status": "alive"}
    assert alice.get("/t/acme/").json() == {"status": "alive"}


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, {"Cookie": "foretell-session=x"},
        {"Authorization": "Basic YTpi", "Accept": "text/html"}, {"Authorization": "Basic YTpi", "Cookie": "a=b"},
    ],
)  # fmt: skip
def test_a_browsers_root_is_the_catalogue(world: World, headers: dict[str, str]) -> None:
    assert world.client(None).get("/", headers=headers).status_code == 299


def test_a_form_at_the_root_is_djangos(alice: httpx.Client) -> None:
    assert alice.post("/").status_code == 299
