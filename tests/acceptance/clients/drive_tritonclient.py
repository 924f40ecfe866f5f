"""Asks a server by Triton's own client, blocking and asynchronous, as `task` on standard input says; prints what came back as JSON.

Runs in an environment of its own, and knows nothing of Foretell.
"""

import asyncio
import json
import sys

import numpy as np
import tritonclient.http as blocking
import tritonclient.http.aio as asynchronous

NUMPY = {"FP32": np.float32, "FP64": np.float64, "INT64": np.int64, "BYTES": np.object_, "BOOL": np.bool_}


def inputs_of(module, tensors, *, binary):
    inputs = []
    for tensor in tensors:
        array = np.array(tensor["data"], dtype=NUMPY[tensor["datatype"]])
        given = module.InferInput(tensor["name"], list(array.shape), tensor["datatype"])
        given.set_data_from_numpy(array, binary_data=binary)
        inputs.append(given)
    return inputs


def own(headers):
    """The client writes into the headers that it is given, those of one compressed request into the next."""
    return dict(headers)


def plain(result, names):
    answer = {name: result.as_numpy(name).tolist() for name in names}
    decoded = {
        name: [cell.decode() if isinstance(cell, bytes) else cell for cell in cells] for name, cells in answer.items()
    }
    response = result.get_response()
    return {
        "outputs": decoded,
        "id": response["id"],
        "model": response["model_name"],
        "version": response["model_version"],
    }


def refused(call, *arguments, **keywords):
    try:
        call(*arguments, **keywords)
    except blocking.InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


def drive(task):
    address, headers, model, names = task["address"], task["headers"], task["model"], task["outputs"]
    client = blocking.InferenceServerClient(address)
    result = {
        "live": client.is_server_live(headers=headers),
        "ready": client.is_server_ready(headers=headers),
        "server": client.get_server_metadata(headers=headers),
        "model_ready": client.is_model_ready(model, headers=headers),
        "no_model_ready": client.is_model_ready("no-such-model", headers=headers),
        "metadata": client.get_model_metadata(model, headers=headers),
        "index": client.get_model_repository_index(headers=headers),
        "loaded": client.load_model(model, headers=headers),
        "unloaded": client.unload_model(model, headers=headers),
        "answers": {},
        "refusals": {
            "no such model": refused(
                client.infer, "no-such-model", inputs_of(blocking, task["tensors"], binary=True), headers=own(headers)
            ),
            "a stranger": refused(client.infer, model, inputs_of(blocking, task["tensors"], binary=True)),
            "a wrong shape": refused(
                client.infer, model, inputs_of(blocking, task["tensors"][:1], binary=False), headers=own(headers)
            ),
        },
    }
    if task["version"]:
        result["version_ready"] = client.is_model_ready(model, task["version"], headers=headers)
    for binary in (True, False):
        outputs = [blocking.InferRequestedOutput(name, binary_data=binary) for name in names]
        for compression in (None, "gzip", "deflate"):
            answer = client.infer(
                model,
                inputs_of(blocking, task["tensors"], binary=binary),
                outputs=outputs,
                headers=own(headers),
                request_id="mine",
                request_compression_algorithm=compression,
                model_version=task["version"],
            )
            result["answers"][f"{'binary' if binary else 'json'}, {compression}"] = plain(answer, names)
    answer = client.infer(model, inputs_of(blocking, task["tensors"], binary=True), headers=own(headers))
    result["answers"]["no outputs named"] = plain(answer, names)
    client.close()
    return result


async def drive_asynchronously(task):
    headers, names = task["headers"], task["outputs"]
    async with asynchronous.InferenceServerClient(task["address"]) as client:
        answers = {}
        for binary in (True, False):
            given = inputs_of(asynchronous, task["tensors"], binary=binary)
            outputs = [asynchronous.InferRequestedOutput(name, binary_data=binary) for name in names]
            for compression in (None, "gzip"):
                answer = await client.infer(
                    task["model"],
                    given,
                    outputs=outputs,
                    headers=own(headers),
                    request_id="mine",
                    request_compression_algorithm=compression,
                )
                answers[f"aio {'binary' if binary else 'json'}, {compression}"] = plain(answer, names)
        ready = await client.is_model_ready(task["model"], headers=headers)
        index = await client.get_model_repository_index(headers=headers)
        return {"aio_ready": ready, "aio_index": index, "answers": answers}


def main():
    task = json.load(sys.stdin)
    result = drive(task)
    twin = asyncio.run(drive_asynchronously(task))
    result["answers"].update(twin.pop("answers"))
    json.dump(result | twin, sys.stdout)


main()
