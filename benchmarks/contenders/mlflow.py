"""MLflow's own scoring server with two workers."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from contenders.artifacts import Case
from contenders.base import APPS, KEPT_ENVIRONMENT, ONE_THREAD, CannotRun, Contender, Running, listening
from contenders.environments import python_with


@contextlib.contextmanager
def start(contender: Contender, place: Path) -> Iterator[Running]:
    python, saved = python_with(contender.packages), place / contender.name
    environment = {**contender.environment, "PATH": f"{python.parent}:{KEPT_ENVIRONMENT['PATH']}"}
    done = subprocess.run(
        [python, APPS / "save_for_mlflow.py", place / "models" / "iris.joblib", saved],
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
    return json.dumps({"dataframe_split": {"columns": case.columns, "data": case.as_lists}}).encode()


def contender(name: str, title: str, environment: dict[str, str]) -> Contender:
    return Contender(
        name=name, title=title, start=start, path=lambda case: "/invocations", body=body, cases=("one",),
        read=lambda answer: list(answer["predictions"]), environment=environment, packages=("mlflow", "pandas"),
    )  # fmt: skip


CONTENDERS = (
    contender("mlflow", "MLflow scoring server", {}),
    contender("mlflow_tuned", "MLflow scoring server, one OpenMP thread", ONE_THREAD),
)
