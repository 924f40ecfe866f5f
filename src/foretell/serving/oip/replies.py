"""Predictions as an inference response: JSON, or JSON with binary tensors behind it."""

from typing import Any

import msgspec
import numpy as np

from foretell.inference.answering import Prediction
from foretell.inference.batch import Array
from foretell.inference.errors import InputProblem
from foretell.inference.tensors.binary import packed
from foretell.serving.oip.requests import InferRequest, WantedOutput
from foretell.serving.responses import Response

BINARY = b"application/octet-stream"
HEADER_LENGTH = b"inference-header-content-length"
MAX_WARNINGS_SAID = 5


def infer_reply(prediction: Prediction, request: InferRequest) -> Response:
    """Return the outputs that were asked for, in that order, each in the form that was asked for."""
    described, tails = [], []
    for wanted in request.outputs:
        output, tail = _described(wanted, prediction)
        described.append(output)
        tails.append(tail)
    head = msgspec.json.encode({
        "model_name": prediction.model, "model_version": str(prediction.version), "id": request.id or prediction.id,
        "parameters": _parameters(prediction), "outputs": described,
    })  # fmt: skip
    if not any(wanted.is_binary for wanted in request.outputs):
        return Response(200, head)
    headers = [(HEADER_LENGTH, str(len(head)).encode())]
    return Response(200, b"".join([head, *tails]), BINARY, headers)


def _described(wanted: WantedOutput, prediction: Prediction) -> tuple[dict[str, Any], bytes]:
    tensor = wanted.tensor
    array = tensor.array(prediction.predictions)
    described: dict[str, Any] = {"name": tensor.name, "shape": list(array.shape), "datatype": tensor.datatype.name}
    if not wanted.is_binary:
        return {**described, "data": plain_values(array)}, b""
    tail = packed(array, tensor.datatype)
    return {**described, "parameters": {"binary_data_size": len(tail)}}, tail


def plain_values(array: Array) -> list[Any]:
    """Return the elements in row-major order; a number that JSON does not have is null."""
    flat = array.ravel()
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        return [value if np.isfinite(value) else None for value in flat.tolist()]
    values: list[Any] = flat.tolist()
    return values


def _parameters(prediction: Prediction) -> dict[str, str]:
    """Return what our own API answers beside the outputs: under which id it is logged, and what was odd about the rows."""
    parameters = {"prediction_id": prediction.id}
    if prediction.parsed.warnings:
        parameters["warnings"] = _said(prediction.parsed.warnings)
    return parameters


def _said(warnings: tuple[InputProblem, ...]) -> str:
    said = [f"{warning.attr}: {warning.detail}" for warning in warnings[:MAX_WARNINGS_SAID]]
    more = len(warnings) - len(said)
    return " ".join(said) + (f" ({more} more)" if more else "")
