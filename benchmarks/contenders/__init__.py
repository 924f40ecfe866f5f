"""The servers that are compared. Each file: the environment, how to start, what to send, how to read the answer."""

from collections.abc import Iterator
from importlib import import_module

from contenders.base import Contender

OURS = ("foretell", "constant", "raw", "fastapi", "drf")
PEERS = ("mlserver", "mlflow", "bentoml", "litserve", "ray_serve", "kserve")


def contenders(*, peers: bool) -> Iterator[Contender]:
    for name in (*OURS, *(PEERS if peers else ())):
        yield from import_module(f"contenders.{name}").CONTENDERS
