"""A body that comes in chunks, with no length stated, is the same body."""

from typing import Any

import httpx
import pytest

from tests.cast import House
from tests.models import ready_sum_model, sum_graph


@pytest.fixture(autouse=True)
def model(acme: House) -> None:
    ready_sum_model(acme)


def send_in_chunks(client: httpx.Client, method: str, path: str, **body: Any) -> httpx.Response:
    request = client.build_request(method, f"/api/v1/models/sum/{path}", **body)
    del request.headers["Content-Length"]
    request.headers["Transfer-Encoding"] = "chunked"
    return client.send(request)


def test_json_in_chunks_is_read(alice: httpx.Client) -> None:
    answer = send_in_chunks(alice, "PATCH", "", json={"description": "Adds."})

    assert (answer.status_code, answer.json()["description"]) == (200, "Adds.")


def test_rows_in_chunks_are_answered_by_django_as_well(alice: httpx.Client) -> None:
    path = "predict/?format=json"  # chosen by the address: not the lane's

    answer = send_in_chunks(alice, "POST", path, json={"a": 1, "b": 2})

    assert (answer.status_code, answer.json()["prediction"]) == (200, 3.0)


def test_a_model_can_be_pushed_in_chunks(alice: httpx.Client) -> None:
    answer = send_in_chunks(alice, "POST", "versions/", files=[("artifact", ("sum.onnx", sum_graph()))])

    assert (answer.status_code, answer.json()["version"]) == (201, 2), answer.text
