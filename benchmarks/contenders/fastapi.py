"""FastAPI on uvicorn with two workers: with scikit-learn, and with onnxruntime. No auth, no limits, no log."""

import contextlib
from pathlib import Path

from contenders.artifacts import instances
from contenders.base import APPS, ONE_THREAD, Contender, Running, listening
from contenders.environments import python_with
from contenders.raw import read

PACKAGES = ("fastapi", "uvicorn[standard]", "onnxruntime", "pandas")


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    command = [python_with(contender.packages), "-m", "uvicorn", "fastapi_app:app", "--app-dir", APPS, "--workers", "2",
               "--no-access-log", "--log-level", "warning"]  # fmt: skip
    environment = {**ONE_THREAD, **contender.environment, "BENCH_MODELS": str(place / "models")}
    return listening(contender, place, lambda port: [*command, "--port", port], environment=environment)


CONTENDERS = tuple(
    Contender(
        name=f"fastapi_{runtime}",
        title=f"FastAPI + {library}",
        start=start,
        path=lambda case: f"/predict/{case.model}",
        body=instances,
        read=read,
        environment={"BENCH_RUNTIME": runtime},
        packages=PACKAGES,
    )
    for runtime, library in (("onnx", "onnxruntime"), ("sklearn", "scikit-learn"))
)
