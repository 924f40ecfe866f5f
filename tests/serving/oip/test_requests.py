"""Requests whose body is one raw tensor; and bodies that are read strictly before any model is asked."""

import struct
from typing import Any

import pytest

from foretell.inference.errors import InvalidInput
from foretell.inference.signature import DType, Input
from foretell.serving.oip.requests import read_request
from tests.inference.signatures import taking

FLOAT = taking(Input(name="x", dtype=DType.FLOAT))
TENSOR = b'{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}'


@pytest.mark.parametrize(
    ("source", "body", "values"),
    [
        (Input(name="x", dtype=DType.FLOAT), struct.pack("<dd", 1.5, 2.0), [1.5, 2.0]),
        (Input(name="n", dtype=DType.INT), struct.pack("<q", -3), [-3]),
        (Input(name="b", dtype=DType.BOOL), b"\1\0", [True, False]),
        (Input(name="s", dtype=DType.STRING), "größer".encode(), ["größer"]),
    ],
)
def test_a_raw_body_is_the_one_input(source: Input, body: bytes, values: list[Any]) -> None:
    (tensor,) = read_request(taking(source), body, "0").tensors

    assert (tensor.name, tensor.shape, tensor.values) == (source.name, (len(values),), values)


@pytest.mark.parametrize("body", [b"\0" * 7, b""])
def test_a_raw_body_that_is_no_tensor_is_refused_or_empty(body: bytes) -> None:
    if body:
        with pytest.raises(InvalidInput, match="multiple of 8"):
            read_request(FLOAT, body, "0")
    else:
        assert read_request(FLOAT, body, "0").tensors[0].values == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'"x"', b"{}", b'{"inputs": {}}', b'{"inputs": []}', b'{"inputs": [1]}', b'{"inputs": [' + TENSOR + b', {"name": "x"}]}',
        b'{"id": 42, "inputs": [' + TENSOR + b"]}", b'{"id": "\\ud800", "inputs": [' + TENSOR + b"]}", b'{"id": "a\\u0000", "inputs": [' + TENSOR + b"]}",
        b'{"id": "' + b"x" * 1_001 + b'", "inputs": [' + TENSOR + b"]}", b'{"parameters": [], "inputs": [' + TENSOR + b"]}",
        b'{"parameters": {"content_type": "hg_json"}, "inputs": [' + TENSOR + b"]}", b'{"parameters": {"content_type": 1}, "inputs": [' + TENSOR + b"]}",
        b'{"parameters": {"binary_data_output": 1}, "inputs": [' + TENSOR + b"]}", b'{"inputs": [' + TENSOR.replace(b'"data"', b'"date"') + b"]}",
        b'{"inputs": [' + TENSOR.replace(b"FP64", b"fp64") + b"]}", b'{"inputs": [' + TENSOR.replace(b'"x"', b'""') + b"]}",
        b'{"inputs": [' + TENSOR.replace(b"}", b', "parameters": {"shared_memory_region": "x"}}') + b"]}",
        b'{"inputs": [' + TENSOR.replace(b"}", b', "parameters": {"content_type": "base64"}}') + b"]}",
        b'{"inputs": [' + TENSOR + b'], "inputs": [' + TENSOR + b"]}", b'{"inputs": [' + TENSOR.replace(b"}", b', "parameters": {"a": 1, "a": 2}}') + b"]}",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_request(FLOAT, body, None)


def test_unknown_parameters_and_keys_beside_are_others_business() -> None:
    body = (
        b'{"model_name": "m", "parameters": {"priority": 1, "own": "x"}, "anything": [], "inputs": [' + TENSOR + b"]}"
    )

    assert read_request(FLOAT, body, None).tensors[0].values == [1]
