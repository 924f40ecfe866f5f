"""KServe's own model server with two workers, as its scikit-learn runtime serves; its batcher is a part of Kubernetes' side of it."""

import contextlib
import json
from pathlib import Path

from contenders.artifacts import Case
from contenders.base import APPS, Contender, Running, listening
from contenders.environments import python_with
from contenders.forests import BOTH, TUNED, Forest


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    quiet = ["--enable_latency_logging", "false"] if contender.forest is TUNED else []
    command = [
        python_with(contender.packages),
        APPS / "kserve_app.py",
        "--workers",
        "2",
        "--enable_grpc",
        "false",
        *quiet,
    ]
    return listening(
        contender, place, lambda port: [*command, "--http_port", port], environment=contender.settings(place)
    )


def body(case: Case) -> bytes:
    return json.dumps({"instances": case.as_lists}).encode()


def contender(forest: Forest) -> Contender:
    return Contender(
        name=f"kserve{forest.suffix}", title=f"KServe's model server{forest.said}", start=start, forest=forest,
        path=lambda case: "/v1/models/iris:predict", cases=("one",), body=body,
        read=lambda answer: list(answer["predictions"]), packages=("kserve",),
    )  # fmt: skip


CONTENDERS = tuple(contender(forest) for forest in BOTH)
