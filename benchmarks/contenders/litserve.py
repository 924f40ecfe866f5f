"""LitServe with two inference workers, two API servers and batching."""

import contextlib
import json
from pathlib import Path

from contenders.base import APPS, ONE_THREAD, Contender, Running, listening
from contenders.environments import python_with


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    command = [python_with(contender.packages), APPS / "lit_app.py"]
    environment = {**contender.environment, "BENCH_MODELS": str(place / "models")}
    return listening(contender, place, lambda port: [*command, port], environment=environment)


def contender(name: str, title: str, environment: dict[str, str]) -> Contender:
    return Contender(
        name=name, title=title, start=start, path=lambda case: "/predict", cases=("one",),
        body=lambda case: json.dumps({"row": case.rows[0]}).encode(), read=lambda answer: [answer["prediction"]],
        environment=environment, packages=("litserve",),
    )  # fmt: skip


CONTENDERS = (
    contender("litserve", "LitServe, batching", {}),
    contender("litserve_tuned", "LitServe, batching, one OpenMP thread", ONE_THREAD),
)
