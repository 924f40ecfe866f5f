"""BentoML with two workers and adaptive batching."""

import contextlib
import json
from pathlib import Path

from contenders.base import APPS, ONE_THREAD, Contender, Running, listening
from contenders.environments import python_with


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    python, home = python_with(contender.packages), place / f"{contender.name}-home"
    home.mkdir()
    own = {"BENCH_MODELS": str(place / "models"), "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    command = [python.parent / "bentoml", "serve", "bento_app:Iris", "--working-dir", APPS, "--host", "127.0.0.1"]
    return listening(
        contender, place, lambda port: [*command, "--port", port], environment={**own, **contender.environment}
    )


def contender(name: str, title: str, environment: dict[str, str]) -> Contender:
    return Contender(
        name=name, title=title, start=start, path=lambda case: "/predict", cases=("one",), read=list,
        body=lambda case: json.dumps({"rows": case.as_lists}).encode(), environment=environment, packages=("bentoml",),
    )  # fmt: skip


CONTENDERS = (
    contender("bentoml", "BentoML, batching", {}),
    contender("bentoml_tuned", "BentoML, batching, one OpenMP thread", ONE_THREAD),
)
