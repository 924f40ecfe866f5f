"""MLflow's own scoring server with two workers."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from contenders.artifacts import Case
from contenders.base import APPS, KEPT_ENVIRONMENT, CannotRun, Contender, Running, listening
from contenders.environments import python_with
from contenders.forests import BOTH, Forest


@contextlib.contextmanager
def start(contender: Contender, place: Path) -> Iterator[Running]:
    python, saved = python_with(contender.packages), place / contender.name
    environment = {**contender.settings(place), "PATH": f"{python.parent}:{KEPT_ENVIRONMENT['PATH']}"}
    done = subprocess.run(
        [python, APPS / "save_for_mlflow.py", place / "models" / contender.forest.file, saved],
        env={**KEPT_ENVIRONMENT, **environment}, cwd=place, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if done.returncode:
        raise CannotRun(done.stderr[-400:])
    command = [python.parent / "mlflow", "models", "serve", "--model-uri", saved, "--env-manager", "local",
               "--host", "127.0.0.1", "--workers", "2"]  # fmt: skip
    at = listening(contender, place, lambda port: [*command, "--port", port], environment=environment)
    with at as running:
        yield running


def body(case: Case) -> bytes:
    return json.dumps({"inputs": case.as_lists}).encode()


def contender(forest: Forest) -> Contender:
    return Contender(
        name=f"mlflow{forest.suffix}", title=f"MLflow scoring server{forest.said}", start=start, forest=forest, path=lambda case: "/invocations", body=body, cases=("one",),
        read=lambda answer: list(answer["predictions"]), packages=("mlflow", "pandas"),
    )  # fmt: skip


CONTENDERS = tuple(contender(forest) for forest in BOTH)
