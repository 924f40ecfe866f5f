"""Ray Serve with two replicas and batching, behind its own proxy."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from contenders.base import APPS, Contender, Running, listening
from contenders.environments import python_with
from contenders.forests import BOTH, TUNED, Forest


@contextlib.contextmanager
def start(contender: Contender, place: Path) -> Iterator[Running]:
    python = python_with(contender.packages)
    temporary = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # a short name: its sockets are in there
    environment = {"RAY_USAGE_STATS_ENABLED": "0", **contender.settings(place)}
    command = [python, APPS / "ray_app.py", temporary, "quiet" if contender.forest is TUNED else "logging"]
    try:
        with listening(contender, place, lambda port: [*command, port], environment=environment) as running:
            yield running
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def contender(forest: Forest) -> Contender:
    return Contender(
        name=f"ray_serve{forest.suffix}", title=f"Ray Serve, batching{forest.said}", start=start, forest=forest,
        path=lambda case: "/", cases=("one",), body=lambda case: json.dumps({"row": case.rows[0]}).encode(),
        read=lambda answer: [answer["prediction"]], packages=("ray[serve]",),
    )  # fmt: skip


CONTENDERS = tuple(contender(forest) for forest in BOTH)
