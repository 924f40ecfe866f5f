"""FastAPI on uvicorn with two workers: with scikit-learn, and with onnxruntime. No auth, no limits, no log."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from contenders.artifacts import instances
from contenders.base import APPS, Contender, Running, listening
from contenders.environments import python_with
from contenders.forests import AS_IT_COMES, TUNED, Forest
from contenders.raw import read

PACKAGES = ("fastapi", "uvicorn[standard]", "onnxruntime")


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    command = [python_with(contender.packages), "-m", "uvicorn", "fastapi_app:app", "--app-dir", APPS, "--workers", "2",
               "--no-access-log", "--log-level", "warning"]  # fmt: skip
    return listening(contender, place, lambda port: [*command, "--port", port], environment=contender.settings(place))


def contender(
    name: str, title: str, forest: Forest, environment: Mapping[str, str], cases: tuple[str, ...] = ("one", "thousand")
) -> Contender:
    return Contender(
        name=name, title=title, start=start, path=lambda case: f"/predict/{case.model}", body=instances, read=read,
        forest=forest, environment=environment, cases=cases, packages=PACKAGES,
    )  # fmt: skip


ONNX, SKLEARN = {"BENCH_RUNTIME": "onnx"}, {"BENCH_RUNTIME": "sklearn"}
CONTENDERS = (
    contender("fastapi_onnx", "FastAPI + onnxruntime", TUNED, ONNX),
    contender("fastapi_sklearn", "FastAPI + scikit-learn", AS_IT_COMES, SKLEARN, ("one",)),
    contender("fastapi_sklearn_tuned", "FastAPI + scikit-learn, tuned", TUNED, SKLEARN),
)
