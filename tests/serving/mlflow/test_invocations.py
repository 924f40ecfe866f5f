"""MLflow's scoring protocol over the lane: its forms, its leniency where its clients rely on it, and its errors."""

import io
import json
from dataclasses import replace
from typing import Any

import httpx
import polars as pl
import pytest

from tests.serving.passengers import ROW, add_passengers
from tests.serving.world import World, limited, principal

INVOKE = "/models/sum/invocations"
TITANIC = "/models/titanic/invocations"
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture
def alice(world: World) -> httpx.Client:
    add_passengers(world)
    return world.client()


def predictions(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["predictions"]


def error(answer: httpx.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert "stack_trace" not in body
    return answer.status_code, body["error_code"], body["message"]


def parquet(frame: pl.DataFrame, **options: Any) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file, **options)
    return file.getvalue()


# --- the forms ---


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 5], [2, 6]]}},
        {"dataframe_split": {"columns": ["b", "a"], "index": [7, 8], "data": [[5, 1], [6, 2]]}},
        {"dataframe_split": {"columns": ["a", "b", "target"], "data": [[1, 5, "x"], [2, 6, None]]}},
        {"dataframe_split": {"columns": [0, 1], "data": [[1, 5], [2, 6]]}},
        {"dataframe_split": {"data": [[1, 5], [2, 6]]}},
        {"dataframe_records": [{"a": 1, "b": 5}, {"b": 6, "a": 2, "target": "x"}]},
        {"instances": [[1, 5], [2, 6]]},
        {"instances": [{"a": 1, "b": 5}, {"a": 2, "b": 6, "target": 1}]},
        {"inputs": [[1, 5], [2, 6]]},
        {"inputs": {"a": [1, 2], "b": [5, 6]}},
        {"inputs": {"a": [[1], [2]], "b": [[5], [6]], "target": [0, 0]}},
        {"instances": [[1, 5], [2, 6]], "params": {"unknown": 1}, "another": "key"},
        {"instances": [[1, 5], [2, 6]], "params": None},
    ],
)
def test_the_same_rows_in_any_form_have_the_same_answer(alice: httpx.Client, body: Any) -> None:
    assert predictions(alice.post(INVOKE, json=body)) == [6.0, 8.0]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a,b\n1,5\n2,6\n", "text/csv"),
        (b",target,b,a\n0,x,5,1\n1,y,6,2\n", "text/csv; charset=utf-8"),
        (json.dumps({"inputs": [[1, 5], [2, 6]]}).encode(), ""),
        (json.dumps({"inputs": [[1, 5], [2, 6]]}).encode(), "application/json; charset=UTF-8"),
        (parquet(pl.DataFrame({"a": [1.0, 2.0], "b": [5, 6], "target": [["x"], []]})), PARQUET),
        (
            parquet(pl.DataFrame({"b": [5, 6], "a": [1.0, 2.0]}, schema_overrides={"a": pl.Float32, "b": pl.UInt8})),
            PARQUET,
        ),
        (parquet(pl.DataFrame({"a": [1.0, 2.0], "b": [5, 6]}), compression="snappy", row_group_size=1), PARQUET),
    ],
)
def test_csv_and_parquet_have_the_same_answer(alice: httpx.Client, body: bytes, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    assert predictions(alice.post(INVOKE, content=body, headers=headers)) == [6.0, 8.0]


@pytest.mark.parametrize("path", ["/models/sum@champion", "/models/sum/versions/1", "/t/acme/models/sum"])
def test_every_address_of_a_version_answers(alice: httpx.Client, path: str) -> None:
    assert predictions(alice.post(f"{path}/invocations", json={"inputs": [[1, 5]]})) == [6.0]
    assert alice.get(f"{path}/ping").content == b"\n"


def test_a_missing_value_is_null_or_what_mlflows_client_writes(alice: httpx.Client, world: World) -> None:
    frame = json.dumps({"dataframe_split": {"columns": list(ROW), "data": [list({**ROW, "age": "AGE"}.values())]}})
    headers = {"Content-Type": "application/json"}
    for spelt in ("null", "NaN"):
        answer = alice.post(TITANIC, content=frame.replace('"AGE"', spelt), headers=headers)
        assert predictions(answer) == ["survived"]

    assert [json.loads(record.inputs or b"")["age"] for record in world.log.records] == [[None], [None]]


def test_a_text_that_reads_nan_stays_a_text(alice: httpx.Client, world: World) -> None:
    assert predictions(alice.post(TITANIC, json={"dataframe_records": [{**ROW, "cabin": 'a "NaN" NaN'}]})) == [
        "survived"
    ]
    assert json.loads(world.log.records[0].inputs or b"")["cabin"] == ['a "NaN" NaN']


def test_a_frame_of_every_type_comes_as_parquet(alice: httpx.Client, world: World) -> None:
    frame = pl.DataFrame([ROW, {**ROW, "sex": "male", "age": None, "deck": None}]).with_columns(
        pl.col("boarded").str.to_datetime(time_zone="UTC"), pl.col("embarked").cast(pl.Categorical)
    )

    answer = alice.post(TITANIC, content=parquet(frame), headers={"Content-Type": PARQUET})

    assert predictions(answer) == ["survived", "died"]
    logged = json.loads(world.log.records[0].inputs or b"")
    assert (logged["boarded"][0], logged["age"], logged["embarked"][0]) == (
        "1912-04-10T12:00:00.000000",
        [29.0, None],
        "S",
    )


def test_it_is_logged_under_its_own_name_with_the_limits_of_all(alice: httpx.Client, world: World) -> None:
    answer = alice.post(INVOKE, json={"inputs": [[1, 5]]})

    assert (world.log.records[0].face, world.log.records[0].inputs_type) == ("mlflow", "columns")
    assert answer.headers["ratelimit"].startswith('"user";r=999;')


# --- health ---


@pytest.mark.parametrize("where", ["ping", "health"])
def test_a_served_model_is_healthy(alice: httpx.Client, where: str) -> None:
    answer = alice.get(f"/models/sum/{where}")

    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"\n", "application/json")
    assert alice.head(f"/models/sum/{where}").status_code == 200
    assert alice.get(f"/models/nothing/{where}").status_code == 404
    assert alice.get(f"/models/titanic@next/{where}").status_code == 409


def test_the_version_is_bare(alice: httpx.Client) -> None:
    assert alice.get("/models/sum/version").text == "3.18.0"


@pytest.mark.parametrize(
    "path",
    [
        "/models/sum/",
        "/models/sum/versions/",
        "/models/sum/logs/",
        "/models/",
        "/models/sum/ping/",
        "/models/sum/invocations/",
    ],
)
def test_pages_stay_pages(alice: httpx.Client, path: str) -> None:
    assert alice.get(path).status_code == 299


# --- errors ---


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"1", b"{}", b'{"a": 1, "a": 2}', b'{"dataframe_split": [[1, 2]]}', b'{"dataframe_split": {"columns": ["a", "b"]}}',
        b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]], "x": 1}}', b'{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}',
        b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}', b'{"dataframe_split": {"columns": ["a", "b"], "data": 1}}',
        b'{"dataframe_split": {"columns": [1, "b"], "data": [[1, 2]]}}', b'{"dataframe_split": {"columns": true, "data": [[1, 2]]}}',
        b'{"dataframe_records": {"a": 1}}', b'{"dataframe_records": [1]}', b'{"instances": [[1, 2]], "inputs": [[1, 2]]}', b'{"messages": []}',
        b'{"instances": 1}', b'{"inputs": {"a": [1], "b": 1}}', b'{"inputs": [[Infinity, 1]]}',
    ],
)  # fmt: skip
def test_a_body_of_no_form_is_a_bad_request(alice: httpx.Client, body: bytes) -> None:
    answer = alice.post(INVOKE, content=body, headers={"Content-Type": "application/json"})

    assert error(answer)[:2] == (400, "BAD_REQUEST")
    assert (answer.json()["sqlstate"], answer.json()["error_class"]) == ("KAM00", "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [["1", 2]]}, {"inputs": [[True, 2]]}, {"inputs": [[None, 2]]}, {"inputs": [[1]]}, {"inputs": {"a": [1], "c": [1]}},
        {"dataframe_records": [{"a": 1}]}, {"dataframe_records": [{"a": 1, "B": 2}]}, {"dataframe_split": {"columns": ["a", "B"], "data": [[1, 2]]}},
        {"instances": [{"a": 1, "b": "x"}]},
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_are_a_failure_of_the_schema(alice: httpx.Client, body: Any) -> None:
    answer = alice.post(INVOKE, json=body)

    assert error(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert (answer.json()["sqlstate"], answer.json()["error_class"]) == ("KAM01", "SCHEMA_ENFORCEMENT_FAILED")


def test_missing_columns_are_named_in_mlflows_words(alice: httpx.Client) -> None:
    body = {"dataframe_split": {"columns": ["b"], "data": [[1]]}}

    assert "Model is missing inputs ['a']." in error(alice.post(INVOKE, json=body))[2]


def test_an_unknown_column_is_kept_to_be_refused_where_an_input_is_missing(alice: httpx.Client) -> None:
    """A misspelt column that may be missing would else be dropped, and its value with it."""
    row = {("Age" if name == "age" else name): value for name, value in ROW.items()}

    assert "Age: This input is not known" in error(alice.post(TITANIC, json={"dataframe_records": [row]}))[2]
    assert error(alice.post(TITANIC, json={"dataframe_records": [row]}))[1] == "INVALID_PARAMETER_VALUE"


def test_params_must_be_an_object(alice: httpx.Client) -> None:
    answer = alice.post(INVOKE, json={"inputs": [[1, 2]], "params": 3})

    assert error(answer)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert answer.json()["error_class"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("content_type", "said"),
    [
        ("text/plain", "This predictor only supports the following content types: Types: ['text/csv', 'application/json', 'application/vnd.apache.parquet']. Got 'text/plain'."),
        ("application/json; charset=latin-1", "The scoring server only supports UTF-8"),
        ("text/csv; header=present", "Unrecognized content type parameters: header."),
    ],
)  # fmt: skip
def test_another_content_type_is_415_in_plain_text(alice: httpx.Client, content_type: str, said: str) -> None:
    answer = alice.post(INVOKE, content=b"a,b\n1,2\n", headers={"Content-Type": content_type})

    assert (answer.status_code, answer.headers["content-type"], answer.text) == (415, "text/plain", said)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/models/nothing/invocations", 404, "RESOURCE_DOES_NOT_EXIST"), ("POST", "/models/sum/versions/9/invocations", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "/models/sum@beta/invocations", 404, "RESOURCE_DOES_NOT_EXIST"), ("POST", "/models/titanic@next/invocations", 409, "CONFLICT"),
        ("GET", INVOKE, 405, "BAD_REQUEST"), ("POST", "/models/sum/ping", 405, "BAD_REQUEST"), ("DELETE", "/models/sum/version", 405, "BAD_REQUEST"),
    ],
)  # fmt: skip
def test_the_routers_errors_have_the_protocols_shape(
    alice: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    assert error(alice.request(method, path, json={"inputs": [[1, 2]]} if method == "POST" else None))[:2] == (
        status,
        code,
    )


@pytest.mark.parametrize(
    ("method", "where"), [("GET", "ping"), ("GET", "health"), ("GET", "version"), ("POST", "invocations")]
)
def test_everything_needs_a_credential(world: World, method: str, where: str) -> None:
    answer = world.client(None).request(method, f"/models/sum/{where}")

    assert error(answer)[:2] == (401, "UNAUTHENTICATED")
    assert "www-authenticate" in answer.headers


def test_a_role_a_large_body_and_a_limit_are_refused_in_mlflows_codes(world: World) -> None:
    assert error(world.client("bob").post(INVOKE, json={"inputs": [[1, 2]]}))[:2] == (403, "PERMISSION_DENIED")
    assert error(world.client().post(INVOKE, content=b"{}", headers={"Content-Length": str(10**10)}))[0] == 413
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    none = principal("acme", "alice", claims=(limited("acme", "alice", "1/h"),))
    world.change("acme", keys={name: replace(key, principal=none) for name, key in tenant.keys.items()})
    client = world.client()

    refused = [client.post(INVOKE, json={"inputs": [[1, 2]]}) for _ in range(2)][1]

    assert error(refused)[:2] == (429, "REQUEST_LIMIT_EXCEEDED")
    assert int(refused.headers["retry-after"]) >= 1


def test_what_is_not_a_number_here_is_null_in_the_answer(alice: httpx.Client, world: World) -> None:
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    loaded = world.models.lend(tenant, tenant.models["sum"].versions[1])
    assert loaded is not None
    run = loaded.runtime.run

    def broken(batch: Any) -> Any:
        answered = run(batch)
        answered.outputs["sum"].values[:] = float("nan")
        return answered

    loaded.runtime.run = broken  # type: ignore[method-assign]  # a model that answers NaN

    assert predictions(alice.post(INVOKE, json={"inputs": [[1, 2]]})) == [None]
