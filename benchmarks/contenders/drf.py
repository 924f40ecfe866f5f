"""The view of the tutorials: Django REST framework around scikit-learn's predict, on gunicorn; without auth, and with token auth."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from contenders.artifacts import instances
from contenders.base import APPS, CannotRun, Contender, Running, listening
from contenders.environments import python_with

PACKAGES = ("django", "djangorestframework", "gunicorn", "pandas")


@contextlib.contextmanager
def start(contender: Contender, place: Path) -> Iterator[Running]:
    python = python_with(contender.packages)
    own = {"BENCH_MODELS": str(place / "models"), "BENCH_DB": str(place / f"{contender.name}.sqlite3")}
    environment = {**own, **contender.environment}
    token = subprocess.run(
        [python, APPS / "drf_app.py"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    if token.returncode:
        raise CannotRun(token.stderr[-400:])
    # The threads keep connections alive; gunicorn's plain workers close each after its answer.
    command = [python, "-m", "gunicorn", "drf_app:application", "--chdir", APPS, "--workers", "2", "--threads", "16",
               "--keep-alive", "60"]  # fmt: skip
    headers = {"Authorization": f"Token {token.stdout.split()[-1]}"} if "BENCH_AUTH" in contender.environment else {}
    at = listening(contender, place, lambda port: [*command, "--bind", f"127.0.0.1:{port}"],
                   environment=environment, headers=headers)  # fmt: skip
    with at as running:
        yield running


def drf(name: str, title: str, environment: dict[str, str]) -> Contender:
    return Contender(
        name=name, title=title, start=start, path=lambda case: "/predict/", body=instances,
        read=lambda answer: [answer["prediction"]], cases=("one",), environment=environment, packages=PACKAGES,
    )  # fmt: skip


CONTENDERS = (
    drf("drf", "the tutorials' DRF view", {}),
    drf("drf_token", "the tutorials' DRF view, token auth", {"BENCH_AUTH": "token"}),
)
