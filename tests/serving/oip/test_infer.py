"""Inference requests as clients send them, over the lane: the answers of our own API, as tensors."""

import gzip
import json
import struct
import zlib
from typing import Any

import httpx
import numpy as np
import pytest

from foretell.inference.tensors.binary import packed_texts
from tests.serving.passengers import ROW, add_passengers
from tests.serving.world import World

INFER = "/v2/models/sum/infer"
A = {"name": "a", "shape": [2], "datatype": "FP64", "data": [1, 2]}
B = {"name": "b", "shape": [2, 1], "datatype": "INT32", "data": [[5], [6]]}
MATRIX = {"name": "input-0", "shape": [2, 2], "datatype": "FP64", "data": [1, 5, 2, 6]}
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture
def alice(world: World) -> httpx.Client:
    add_passengers(world)
    return world.client()


def outputs(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {output["name"]: output["data"] for output in answer.json()["outputs"]}


@pytest.mark.parametrize(
    "inputs",
    [
        [A, B],
        [B, A],
        [MATRIX],
        [{**MATRIX, "data": [[1, 5], [2, 6]]}],
        [{**MATRIX, "shape": [-1, 2]}],
        [{**MATRIX, "datatype": "FP32"}],
        [{**MATRIX, "datatype": "UINT8"}],
        [{**MATRIX, "parameters": {"content_type": "np"}}],
        [{**MATRIX, "parameters": None}],
        [{**A, "parameters": {"anything": "else"}}, B],
    ],
)
def test_the_same_rows_in_any_form_have_the_same_answer(alice: httpx.Client, inputs: list[Any]) -> None:
    answer = alice.post(INFER, json={"inputs": inputs})

    assert outputs(answer) == {"predict": [6.0, 8.0]}
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["model_name"], body["model_version"]) == ("sum", "1")
    assert body["outputs"][0]["shape"] == [2]
    assert body["outputs"][0]["datatype"] == "FP64"


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models/sum@champion/infer",
        "/v2/models/sum/versions/1/infer",
        "/t/acme/v2/models/sum/infer",
        "/v2/models/%73um/infer",
    ],
)
def test_every_address_of_a_version_answers(alice: httpx.Client, path: str) -> None:
    assert outputs(alice.post(path, json={"inputs": [MATRIX]})) == {"predict": [6.0, 8.0]}


def test_the_id_comes_back_and_is_ours_where_there_is_none(alice: httpx.Client) -> None:
    mine = alice.post(INFER, json={"id": "größer 42", "inputs": [MATRIX], "model_name": "whatever"}).json()
    ours = alice.post(INFER, json={"inputs": [MATRIX]}).json()

    assert mine["id"] == "größer 42"
    assert mine["parameters"]["prediction_id"] != mine["id"]
    assert ours["id"] == ours["parameters"]["prediction_id"]


def test_what_training_has_not_seen_is_said(alice: httpx.Client) -> None:
    answer = alice.post(INFER, json={"inputs": [{**MATRIX, "data": [1, 5, 2, 600]}]}).json()

    assert "rows.1.b: Found 600" in answer["parameters"]["warnings"]


def test_it_is_logged_as_the_rows_that_it_is(alice: httpx.Client, world: World) -> None:
    answer = alice.post(INFER, json={"inputs": [MATRIX]})

    (record,) = world.log.records
    assert (record.face, record.n_rows, record.inputs_type) == ("oip", 2, "columns")
    assert json.loads(record.inputs or b"") == {"a": [1.0, 2.0], "b": [5.0, 6.0]}
    assert json.loads(record.outputs or b"")["predictions"] == [6.0, 8.0]
    assert answer.json()["id"].replace("-", "") == record.id.hex()
    assert answer.headers["ratelimit"].startswith('"user";r=999;')


# --- every datatype ---


def test_every_datatype_is_named_and_typed(alice: httpx.Client) -> None:
    inputs = [
        {"name": "pclass", "shape": [2], "datatype": "INT8", "data": [1, 3]},
        {"name": "sex", "shape": [2], "datatype": "BYTES", "data": ["female", "male"]},
        {"name": "age", "shape": [2], "datatype": "FP64", "data": [29.0, None]},
        {
            "name": "embarked",
            "shape": [2, 1],
            "datatype": "BYTES",
            "parameters": {"content_type": "pd_json"},
            "data": ['"S"', "null"],
        },
        {
            "name": "cabin",
            "shape": [2],
            "datatype": "BYTES",
            "parameters": {"content_type": "base64"},
            "data": ["QjU=", "QjY="],
        },
        {
            "name": "boarded",
            "shape": [2],
            "datatype": "BYTES",
            "parameters": {"content_type": "datetime"},
            "data": ["1912-04-10", None],
        },
        {"name": "alone", "shape": [2], "datatype": "BOOL", "data": [True, False]},
        {"name": "deck", "shape": [2], "datatype": "UINT16", "data": [2, None]},
    ]

    answer = alice.post("/v2/models/titanic/infer", json={"parameters": {"content_type": "pd"}, "inputs": inputs})

    assert outputs(answer) == {"predict": ["survived", "died"], "predict_proba": [0.25, 0.75, 0.75, 0.25]}
    assert [output["shape"] for output in answer.json()["outputs"]] == [[2], [2, 2]]


def test_it_is_the_row_of_our_own_api(alice: httpx.Client, world: World) -> None:
    datatypes = {"pclass": "INT64", "age": "FP64", "alone": "BOOL", "deck": "INT64"}
    inputs = [
        {"name": name, "shape": [1], "datatype": datatypes.get(name, "BYTES"), "data": [value]}
        for name, value in ROW.items()
    ]

    alice.post("/v2/models/titanic/infer", json={"inputs": inputs})
    own = alice.post("/api/v1/models/titanic/predict/", json={"instances": [ROW]})

    theirs, ours = world.log.records
    assert json.loads(theirs.outputs or b"")["predictions"] == own.json()["predictions"]
    assert {name: values[0] for name, values in json.loads(theirs.inputs or b"").items()}["age"] == ROW["age"]
    assert ours.face == "rest"


# --- which outputs, and how ---


@pytest.mark.parametrize("names", [["predict"], ["predict_proba"], ["predict_proba", "predict"]])
def test_only_what_is_asked_for_is_answered_in_that_order(alice: httpx.Client, names: list[str]) -> None:
    inputs = [{"name": name, "shape": [1], "datatype": "BYTES", "data": [ROW[name]]} for name in ("sex",)]
    inputs += [
        {"name": "pclass", "shape": [1], "datatype": "INT64", "data": [1]},
        {"name": "alone", "shape": [1], "datatype": "BOOL", "data": [True]},
    ]

    answer = alice.post(
        "/v2/models/titanic/infer", json={"inputs": inputs, "outputs": [{"name": name} for name in names]}
    )

    assert list(outputs(answer)) == names


@pytest.mark.parametrize(
    "wanted",
    [
        [{"name": "predict_proba"}],
        [{"name": "nope"}],
        [{"name": "predict"}, {"name": "predict"}],
        [{"name": ""}],
        [{}],
        ["predict"],
        {"name": "predict"},
        [{"name": "predict", "parameters": {"binary_data": "yes"}}],
        [{"name": "predict", "parameters": {"classification": 3}}],
        [{"name": "predict", "parameters": {"shared_memory_region": "x"}}],
    ],
)
def test_outputs_that_there_are_not_are_refused_before_anything_runs(
    alice: httpx.Client, world: World, wanted: Any
) -> None:
    answer = alice.post(INFER, json={"inputs": [MATRIX], "outputs": wanted})

    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)
    assert world.log.records == []


# --- binary tensors ---


def binary_request(*parts: tuple[dict[str, Any], bytes], **document: Any) -> tuple[bytes, dict[str, str]]:
    inputs = [{**tensor, "parameters": {"binary_data_size": len(data)}} for tensor, data in parts]
    head = json.dumps({"inputs": inputs, **document}).encode()
    return head + b"".join(data for _, data in parts), {LENGTH: str(len(head))}


def bare(name: str, datatype: str, *shape: int) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(shape)}


@pytest.mark.parametrize(
    "content_type", ["", "application/octet-stream", "application/json", "application/x-www-form-urlencoded"]
)
def test_binary_tensors_in_and_out(alice: httpx.Client, content_type: str) -> None:
    body, headers = binary_request(
        (bare("a", "FP32", 2), struct.pack("<ff", 1.5, 2)), (bare("b", "INT16", 2, 1), struct.pack("<hh", 5, 6)),
        parameters={"binary_data_output": True},
    )  # fmt: skip
    if content_type:
        headers["Content-Type"] = content_type

    answer = alice.post(INFER, content=body, headers=headers)

    size = int(answer.headers[LENGTH])
    (output,) = json.loads(answer.content[:size])["outputs"]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert output["parameters"] == {"binary_data_size": 16}
    assert "data" not in output
    assert struct.unpack("<dd", answer.content[size:]) == (6.5, 8.0)


@pytest.mark.parametrize(
    ("datatype", "code"), [("FP16", "<f2"), ("FP32", "<f4"), ("FP64", "<f8"), ("UINT8", "<u1"), ("INT64", "<i8")]
)
def test_every_binary_datatype_is_read(alice: httpx.Client, datatype: str, code: str) -> None:
    data = np.array([[1, 5], [2, 6]], code).tobytes()
    body, headers = binary_request((bare("m", datatype, 2, 2), data))

    assert outputs(alice.post(INFER, content=body, headers=headers)) == {"predict": [6.0, 8.0]}


def test_bfloat16_is_read(alice: httpx.Client) -> None:
    body, headers = binary_request((bare("m", "BF16", 1, 2), b"\xc0\x3f\x00\x40"))  # 1.5 and 2

    assert outputs(alice.post(INFER, content=body, headers=headers)) == {"predict": [3.5]}


def test_binary_and_json_may_be_mixed_on_both_sides(alice: httpx.Client) -> None:
    passenger = [
        (bare("sex", "BYTES", 2), packed_texts(["female", "male"])), (bare("pclass", "INT64", 2), struct.pack("<qq", 1, 2)),
        (bare("alone", "BOOL", 2), b"\1\0"),
    ]  # fmt: skip
    wanted = [
        {"name": "predict", "parameters": {"binary_data": True}},
        {"name": "predict_proba", "parameters": {"binary_data": False}},
    ]
    body, headers = binary_request(*passenger, outputs=wanted, parameters={"binary_data_output": True})

    answer = alice.post("/v2/models/titanic/infer", content=body, headers=headers)

    size = int(answer.headers[LENGTH])
    labels, chances = json.loads(answer.content[:size])["outputs"]
    assert chances["data"] == [0.25, 0.75, 0.75, 0.25]
    assert answer.content[size:] == packed_texts(["survived", "died"])
    assert labels["parameters"]["binary_data_size"] == len(answer.content) - size


def test_without_the_header_a_binary_tensor_is_refused(alice: httpx.Client) -> None:
    body, _ = binary_request((bare("m", "FP64", 1, 2), b""))

    assert "Inference-Header-Content-Length" in alice.post(INFER, content=body).json()["error"]


def test_one_raw_tensor_needs_a_model_of_one_input(alice: httpx.Client) -> None:
    answer = alice.post(INFER, content=struct.pack("<d", 1.0), headers={LENGTH: "0"})

    assert answer.status_code == 400
    assert "has 2 inputs" in answer.json()["error"]


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ("-1", "Unable to parse"),
        ("x", "Unable to parse"),
        ("1e3", "Unable to parse"),
        ("10000", "should be in range"),
        ("9" * 30, "Unable to parse"),
    ],
)
def test_a_header_that_lies_is_refused(alice: httpx.Client, length: str, said: str) -> None:
    body, _ = binary_request((bare("m", "FP64", 1, 2), struct.pack("<dd", 1, 2)))

    answer = alice.post(INFER, content=body, headers={LENGTH: length})

    assert (answer.status_code, said in answer.json()["error"]) == (400, True)


def test_bytes_that_belong_to_no_tensor_are_refused(alice: httpx.Client) -> None:
    body, headers = binary_request((bare("m", "FP64", 1, 2), struct.pack("<dd", 1, 2)))

    assert "behind the last" in alice.post(INFER, content=body + b"\0", headers=headers).json()["error"]


# --- compressed ---


@pytest.mark.parametrize("behind", [b"x", gzip.compress(b"{}"), bytes(8)], ids=["rubbish", "another member", "zeros"])
def test_what_comes_behind_a_compressed_body_is_refused_and_not_dropped(alice: httpx.Client, behind: bytes) -> None:
    answer = alice.post(INFER, content=gzip.compress(b"{}") + behind, headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 400
    assert "more comes behind its end" in answer.json()["error"]


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_requests_are_undone(alice: httpx.Client, encoding: str, compress: Any) -> None:
    body = compress(json.dumps({"inputs": [MATRIX]}).encode())

    assert outputs(alice.post(INFER, content=body, headers={"Content-Encoding": encoding})) == {"predict": [6.0, 8.0]}


def test_a_bomb_is_refused(alice: httpx.Client) -> None:
    answer = alice.post(INFER, content=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 413
    assert "larger than" in answer.json()["error"]
