"""The same prediction by raw ASGI on the same server, with nobody and nothing to govern it."""

from typing import Any

from contenders.artifacts import instances
from contenders.base import Contender, on_our_server


def read(answer: Any) -> list[Any]:
    return list(answer["predictions"]) if "predictions" in answer else [answer["prediction"]]


CONTENDERS = (
    Contender(
        name="raw",
        title="raw ASGI + onnxruntime, no governance, same server",
        start=lambda contender, place: on_our_server("raw_app:app", contender, place),
        path=lambda case: f"/predict/{case.model}",
        body=instances,
        read=read,
    ),
)
