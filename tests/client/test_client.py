"""What the client sends, and what it makes of the answers."""

import asyncio
import json
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from typing import Any

import httpx
import pytest

from foretell import client as errors
from foretell.client import AsyncClient, Client, Fault, InputWarning, Prediction
from tests.client.fake import ALICE, IRIS_SIGNATURE, KEY, PREDICTION, Asked, FakeServer, answer, model, problem, version

PREDICT = "/api/v1/models/iris/predict/"
ROW = {"petal length (cm)": 6.3}


def test_a_row_gets_a_prediction(server: FakeServer, client: Client) -> None:
    server.on(
        "POST",
        PREDICT,
        answer(200, {**PREDICTION, "warnings": [{"attr": "age", "code": "out_of_range", "detail": "Rare."}]}),
    )

    found = client.predict("iris", ROW)

    assert (found.prediction, found.probabilities, found.version, found.id) == (
        "virginica",
        PREDICTION["probabilities"],
        1,
        "p-1",
    )
    assert found.warnings == (InputWarning("age", "out_of_range", "Rare."),)
    assert server.asked[0].json() == ROW
    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"


def test_rows_get_predictions_that_are_a_sequence(server: FakeServer, client: Client) -> None:
    body = {**PREDICTION, "predictions": ["setosa", "virginica"], "probabilities": [{"setosa": 1.0}, {"setosa": 0.0}]}
    del body["prediction"]
    server.on("POST", PREDICT, answer(200, body))

    found = client.predict("iris", [ROW, ROW])

    assert len(found) == 2
    assert [item.prediction for item in found] == ["setosa", "virginica"]
    assert isinstance(found[1], Prediction)
    assert found[1].probabilities == {"setosa": 0.0}
    assert server.asked[0].json() == {"instances": [ROW, ROW]}


def test_an_alias_and_a_version_have_addresses_of_their_own(server: FakeServer, client: Client) -> None:
    for path in ("/api/v1/models/iris@next/predict/", "/api/v1/models/iris/versions/3/predict/"):
        server.on("POST", path, answer(200, PREDICTION))

    client.predict("iris", ROW, alias="next")
    client.predict("iris", ROW, version=3)

    with pytest.raises(errors.InvalidArgument, match="not both"):
        client.predict("iris", ROW, alias="next", version=3)


def test_a_table_comes_back_with_its_answers(server: FakeServer, client: Client) -> None:
    server.on("POST", PREDICT, httpx.Response(200, content=b"a,prediction\n1,2\n"))

    assert client.predict_csv("iris", b"a\n1\n") == b"a,prediction\n1,2\n"
    assert (server.asked[0].headers["Accept"], server.asked[0].body) == ("text/csv", b"a\n1\n")


def test_a_tenant_is_a_prefix(server: FakeServer) -> None:
    server.on("GET", "/t/acme/api/v1/me/", answer(200, ALICE))

    with Client("http://test", KEY, "acme", transport=server.transport) as client:
        assert client.me().username == "alice"
        assert repr(client) == "Client('http://test/t/acme')"


def test_lists_are_read_to_their_last_page_and_no_link_leads_elsewhere(server: FakeServer, client: Client) -> None:
    pages = {"1": ("http://evil.example/steal?page=2", ["a", "b"]), "2": (None, ["c"])}

    def page(asked: Asked) -> httpx.Response:
        following, names = pages[asked.query.get("page", "1")]
        return answer(
            200, {"count": 3, "next": following, "previous": None, "results": [model(name) for name in names]}
        )

    server.on("GET", "/api/v1/models/", page)

    assert [found.name for found in client.models()] == ["a", "b", "c"]
    assert len(server.asked) == 2


def test_a_list_that_never_ends_is_an_error(server: FakeServer, client: Client) -> None:
    server.on("GET", "/api/v1/models/", answer(200, {"next": "/?page=2", "results": []}))

    with pytest.raises(errors.UnexpectedReply, match="itself"):
        client.models()


def test_models_and_versions_are_typed(server: FakeServer, client: Client) -> None:
    server.on("GET", "/api/v1/models/iris/", answer(200, {**model(), "news": 1}))
    server.on("GET", "/api/v1/models/iris/versions/1/", answer(200, version()))

    found, first = client.model("iris"), client.version("iris", 1)

    assert (found.signature, found.aliases, found.created_at.year) == (IRIS_SIGNATURE, {"champion": 1}, 2026)
    assert found.raw["news"] == 1
    assert (first.is_ready, first.aliases, first.metrics) == (True, ("champion",), {"accuracy": 0.9})


def test_promoting_moves_an_alias_only_from_where_it_was_seen(server: FakeServer, client: Client) -> None:
    alias = {"model": "iris", "alias": "champion", "version": 1}
    server.on("GET", "/api/v1/models/iris/aliases/champion/", answer(200, alias, ETag='"7"'))
    server.on("PUT", "/api/v1/models/iris/aliases/champion/", answer(200, {**alias, "version": 2}))

    assert client.promote("iris", 2).version == 2
    assert server.asked[1].headers["If-Match"] == '"7"'
    assert server.asked[1].json() == {"version": 2}


def test_a_new_alias_needs_no_etag(server: FakeServer, client: Client) -> None:
    server.on("PUT", "/api/v1/models/iris/aliases/next/", answer(200, {"model": "iris", "alias": "next", "version": 2}))

    client.promote("iris", 2, "next", allow_signature_change=True)

    assert "If-Match" not in server.asked[1].headers
    assert server.asked[1].json() == {"version": 2, "allow_signature_change": True}


def test_rolling_back_is_one_call(server: FakeServer, client: Client) -> None:
    reply = answer(200, {"model": "iris", "alias": "champion", "version": 1})
    server.on("POST", "/api/v1/models/iris/aliases/champion/rollback/", reply)

    assert client.rollback("iris").version == 1


def parts_of(asked: Asked) -> list[tuple[Any, Any, Any]]:
    """Return name, file name and content of each part, as the standard library reads them."""
    head = f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + asked.body).get_payload()
    return [
        (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(decode=True))
        for part in parts
    ]


def test_a_push_is_multipart_with_its_length_and_tells_its_progress(server: FakeServer, client: Client) -> None:
    server.on("POST", "/api/v1/models/iris/versions/", answer(201, version(state="quarantined")))
    told: list[tuple[int, int]] = []
    big = b"\x00\xff" * 100_000

    pushed = client.push_version(
        "iris",
        [("a.onnx", big), ('b"\r\n.pkl', b"B")],
        sample=b"x\n1\n",
        metadata={"alias": "é"},
        progress=lambda *at: told.append(at),
    )

    asked = server.asked[0]
    assert pushed.is_new
    assert int(asked.headers["Content-Length"]) == len(asked.body)
    assert told[-1] == (len(asked.body), len(asked.body))
    assert len(told) > 3
    names = [(name, file_name) for name, file_name, _ in parts_of(asked)]
    assert names == [
        ("metadata", None),
        ("artifact", "a.onnx"),
        ("artifact", "b%22%0D%0A.pkl"),
        ("sample", "sample.csv"),
    ]
    assert json.loads(parts_of(asked)[0][2]) == {"alias": "é"}


def test_waiting_ends_when_the_version_is_ready(server: FakeServer, client: Client, naps: list[float]) -> None:
    states = [answer(200, version(state=state)) for state in ("quarantined", "building", "ready")]
    server.on("GET", "/api/v1/models/iris/versions/1/", *states)
    seen: list[str] = []

    assert client.wait_until_built("iris", 1, on_state=lambda found: seen.append(found.state)).is_ready
    assert seen == ["quarantined", "building", "ready"]
    assert len(naps) == 2


def test_a_failed_build_raises_its_reason(server: FakeServer, client: Client) -> None:
    reason = {"code": "not_fitted", "message": "SVC is not fitted: call fit()."}
    server.on("GET", "/api/v1/models/iris/versions/1/", answer(200, version(state="failed", reason=reason)))

    with pytest.raises(errors.BuildFailed, match="iris version 1 failed: SVC is not fitted") as caught:
        client.wait_until_built("iris", 1)

    assert caught.value.code == "not_fitted"


def test_a_build_that_takes_too_long_says_where_to_look(server: FakeServer, client: Client, naps: list[float]) -> None:
    server.on("GET", "/api/v1/models/iris/versions/1/", answer(200, version(state="building")))

    with pytest.raises(errors.BuildTimedOut, match="foretell show iris:1"):
        client.wait_until_built("iris", 1, timeout_s=0)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "invalid", errors.InvalidRequest),
        (401, "not_authenticated", errors.NotAuthenticated),
        (403, "permission_denied", errors.PermissionDenied),
        (404, "not_found", errors.NotFound),
        (409, "version_not_ready", errors.Conflict),
        (412, "precondition_failed", errors.Conflict),
        (413, "too_large", errors.InvalidRequest),
        (415, "unsupported_media_type", errors.InvalidRequest),
        (428, "precondition_required", errors.Conflict),
        (429, "throttled", errors.TooManyRequests),
        (500, "error", errors.ServerBroken),
        (502, "bad_gateway", errors.ServerUnavailable),
    ],
)
def test_each_refusal_is_an_error_of_its_own_in_the_servers_words(
    server: FakeServer, client: Client, status: int, code: str, expected: type[errors.RequestRefused]
) -> None:
    server.on("POST", PREDICT, problem(status, code, "Such is life.", Retry_After="7"))

    with pytest.raises(expected, match="Such is life") as caught:
        client.predict("iris", ROW)

    assert type(caught.value) is expected
    found = caught.value
    assert (found.status, found.code, found.request_id, found.retry_after_s) == (status, code, "r-1", 7.0)


def test_invalid_input_names_every_fault(server: FakeServer, client: Client) -> None:
    faults = [{"attr": f"instances.{row}.age", "code": "not_a_number", "detail": 'Found "x".'} for row in range(12)]
    server.on("POST", PREDICT, problem(400, "invalid_input", "…", faults))

    with pytest.raises(errors.InvalidRequest, match="12 things are wrong") as caught:
        client.predict("iris", [ROW])

    assert caught.value.errors[3] == Fault("instances.3.age", "not_a_number", 'Found "x".')
    assert "… and 2 more" in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, text="<html>a proxy's page</html>", headers={"Content-Type": "text/html"}),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"hello": 1}),
        httpx.Response(301, headers={"Location": "https://elsewhere.example/"}),
    ],
)
def test_what_is_not_foretell_is_said_so(server: FakeServer, client: Client, reply: httpx.Response) -> None:
    server.on("GET", "/api/v1/me/", reply)

    with pytest.raises(errors.UnexpectedReply):
        client.me()


def test_a_proxys_bare_error_still_has_a_name(server: FakeServer, client: Client) -> None:
    server.on("POST", PREDICT, httpx.Response(504, text="<html>gateway</html>"))

    with pytest.raises(errors.ServerUnavailable, match="504"):
        client.predict("iris", ROW)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a@b", "a\nb", "a\\b", 3])
def test_a_name_that_would_lead_elsewhere_never_leaves(server: FakeServer, client: Client, name: Any) -> None:
    for call in (
        client.model,
        client.versions,
        lambda name: client.predict(name, ROW),
        lambda name: client.push_version(name, [("a", b"a")]),
    ):
        with pytest.raises(errors.InvalidArgument, match="no model name"):
            call(name)

    assert server.asked == []


def test_other_names_travel_quoted_and_the_server_decides(server: FakeServer, client: Client) -> None:
    with pytest.raises(errors.NotFound):
        client.model("große 100 €")

    assert server.asked[0].path == "/api/v1/models/große 100 €/"


@pytest.mark.parametrize("number", [0, -1, True, "1", 1.5])
def test_versions_are_numbered_from_one(client: Client, number: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match="numbered from 1"):
        client.version("iris", number)


def test_the_async_client_does_the_same(server: FakeServer) -> None:
    server.on("POST", PREDICT, answer(200, PREDICTION))
    server.on("POST", "/api/v1/models/iris/versions/", answer(201, version(state="building")))
    server.on("GET", "/api/v1/models/iris/versions/1/", answer(200, version(state="building")), answer(200, version()))

    async def work() -> tuple[Any, Any, Any]:
        async with AsyncClient("http://test", KEY, transport=server.transport) as client:
            answers = await asyncio.gather(*(client.predict("iris", ROW) for _ in range(3)))
            pushed = await client.push_version("iris", [("a.onnx", b"a" * 100_000)])
            with pytest.raises(errors.NotFound):
                await client.model("none")
            return answers, pushed, await client.wait_until_built("iris", 1)

    answers, pushed, built = asyncio.run(work())

    assert [found.prediction for found in answers] == ["virginica"] * 3
    assert pushed.is_new
    assert built.is_ready


def test_both_clients_have_the_same_calls() -> None:
    def calls(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert calls(Client) == calls(AsyncClient)


LOGGED = {
    "id": "p-1", "at": "2026-11-21T08:00:00.123456Z", "model": "iris", "version": 1, "face": "rest", "user": "alice", "key": None,
    "request_id": "r-1", "n_rows": 2, "duration_ms": 0.07, "n_warnings": 0, "url": "http://test/api/v1/predictions/p-1/",
}  # fmt: skip


def test_the_log_is_read_up_to_a_limit_and_by_filters(server: FakeServer, client: Client) -> None:
    def page(cursor: str) -> httpx.Response:
        following = f"http://test/api/v1/predictions/?cursor={cursor}"
        return answer(200, {"next": following, "previous": None, "results": [LOGGED] * 2})

    server.on("GET", "/api/v1/predictions/", page("b"), page("c"))
    since = datetime(2026, 11, 21, 9, tzinfo=timezone(timedelta(hours=1)))

    found = client.logs("iris", since=since, version=3, limit=3)

    assert [one.id for one in found] == ["p-1"] * 3
    assert (found[0].at.microsecond, found[0].user, found[0].key, found[0].inputs) == (123_456, "alice", None, None)
    assert server.asked[0].query == {
        "model": "iris", "version": "3", "since": "2026-11-21T08:00:00+00:00", "page_size": "200",
    }  # fmt: skip
    assert len(server.asked) == 2


def test_one_of_the_log_has_its_inputs_and_outputs(server: FakeServer, client: Client) -> None:
    whole = {**LOGGED, "inputs": [{"a": 1}, {"a": 2}], "outputs": {"predictions": [1, 2]}}
    server.on("GET", "/api/v1/predictions/p-1/", answer(200, whole))

    found = client.logged("p-1")

    assert (found.inputs, found.outputs) == (({"a": 1}, {"a": 2}), {"predictions": [1, 2]})
