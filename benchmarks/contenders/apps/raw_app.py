"""The same prediction by raw ASGI, without any governance: parse, run, answer."""

from typing import Any

import msgspec
from onnx_models import GRAPHS

decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for part in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{part}.complete"})
        return
    value = decode(await whole(receive))
    graph = GRAPHS[scope["path"].rsplit("/", 1)[1]]
    if "instances" in value:
        labels, probabilities = graph(value["instances"])
        answer = {"predictions": labels, "probabilities": probabilities}
    else:
        labels, probabilities = graph([list(value.values())])
        answer = {"prediction": labels[0], "probabilities": probabilities[0]}
    body = encode(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def whole(receive: Any) -> bytes:
    event = await receive()
    body: bytes = event["body"]
    while event["more_body"]:
        event = await receive()
        body += event["body"]
    return body
