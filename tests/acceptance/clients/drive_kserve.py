"""Asks a server by KServe's own client, in both of its protocols, as `task` on standard input says; prints what came back as JSON."""

import asyncio
import json
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

NUMPY = {"FP32": np.float32, "FP64": np.float64, "INT64": np.int64, "BYTES": np.object_, "BOOL": np.bool_}


def request_of(task, *, binary):
    inputs = []
    for tensor in task["tensors"]:
        array = np.array(tensor["data"], dtype=NUMPY[tensor["datatype"]])
        given = InferInput(tensor["name"], list(array.shape), tensor["datatype"])
        given.set_data_from_numpy(array, binary_data=binary)
        inputs.append(given)
    return InferRequest(model_name=task["model"], infer_inputs=inputs, request_id="mine")


async def refused(call):
    try:
        await call
    except httpx.HTTPStatusError as error:
        return {"status": error.response.status_code, "message": str(error)}
    return None


async def drive_v2(task):
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=30))
    url, headers, model = task["url"], task["headers"], task["model"]
    result = {
        "live": await client.is_server_live(url, headers=headers),
        "ready": await client.is_server_ready(url, headers=headers),
        "model_ready": await client.is_model_ready(url, model, headers=headers),
        "answers": {},
        "refusals": {
            "no such model": await refused(
                client.infer(url, request_of(task, binary=False), model_name="no-such-model", headers=headers)
            ),
            "a stranger": await refused(client.infer(url, request_of(task, binary=False), model_name=model)),
        },
    }
    for binary in (False, True):
        answer = await client.infer(url, request_of(task, binary=binary), model_name=model, headers=dict(headers))
        result["answers"]["binary" if binary else "json"] = {
            "outputs": {output.name: output.as_numpy().tolist() for output in answer.outputs},
            "id": answer.id,
            "model": answer.model_name,
            "version": answer.model_version,
        }
    return result


async def drive_v1(task):
    client = InferenceRESTClient(RESTConfig(protocol="v1", timeout=30))
    url, headers, model = task["url"], task["headers"], task["model"]
    return {
        "v1_live": await client.is_server_live(url, headers=headers),
        "v1_ready": await client.is_model_ready(url, model, headers=headers),
        "v1_predictions": (await client.infer(url, {"instances": task["rows"]}, model_name=model, headers=headers))[
            "predictions"
        ],
        "v1_refusal": await refused(client.infer(url, {"instances": [["x"]]}, model_name=model, headers=headers)),
    }


async def main():
    task = json.load(sys.stdin)
    result = await drive_v2(task) | await drive_v1(task)
    json.dump(result, sys.stdout, default=lambda value: value.decode() if isinstance(value, bytes) else str(value))


asyncio.run(main())
