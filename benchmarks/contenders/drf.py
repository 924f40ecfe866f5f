"""The view of the tutorials: Django REST framework around scikit-learn's predict, on gunicorn; without auth, with a token, with Basic."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contenders.artifacts import instances
from contenders.base import APPS, KEPT_ENVIRONMENT, CannotRun, Contender, Running, listening
from contenders.environments import python_with
from contenders.forests import AS_IT_COMES, BOTH, Forest

PACKAGES = ("django", "djangorestframework", "gunicorn", "pandas")
AUTH = "BENCH_AUTH"


@contextlib.contextmanager
def start(contender: Contender, place: Path) -> Iterator[Running]:
    python = python_with(contender.packages)
    environment = {"BENCH_DB": str(place / f"{contender.name}.sqlite3"), **contender.settings(place)}
    headers = credential(python, environment)
    # The threads keep connections alive; gunicorn's plain workers close each after its answer.
    command = [python, "-m", "gunicorn", "drf_app:application", "--chdir", APPS, "--workers", "2", "--threads", "16",
               "--keep-alive", "60"]  # fmt: skip
    at = listening(contender, place, lambda port: [*command, "--bind", f"127.0.0.1:{port}"],
                   environment=environment, headers=headers)  # fmt: skip
    with at as running:
        yield running


def credential(python: Path, environment: dict[str, str]) -> dict[str, str]:
    """Set its database up; return the header of somebody who may ask."""
    done = subprocess.run(
        [python, APPS / "drf_app.py"], env=KEPT_ENVIRONMENT | environment, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    if done.returncode:
        raise CannotRun(done.stderr[-400:])
    return {"Authorization": done.stdout.splitlines()[-1]} if AUTH in environment else {}


def drf(forest: Forest, auth: str = "", said: str = "", **how: Any) -> Contender:
    return Contender(
        name=f"drf{auth and '_' + auth}{forest.suffix}", title=f"the tutorials' DRF view{said}{forest.said}", start=start,
        path=lambda case: "/predict/", body=instances, read=lambda answer: [answer["prediction"]], cases=("one",),
        environment={AUTH: auth} if auth else {}, packages=PACKAGES, forest=forest, **how,
    )  # fmt: skip


CONTENDERS = (
    *(drf(forest) for forest in BOTH),
    *(drf(forest, "token", ", token auth") for forest in BOTH),
    # A password is hashed for each request: the forest no longer matters, and more connections only wait for each other.
    drf(AS_IT_COMES, "basic", ", Basic auth", shapes=("one, 1",), least_seconds=4.0),
)
