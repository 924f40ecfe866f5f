"""A constant answer: on the server that Foretell runs on, and on uvicorn as it comes."""

import contextlib
import sys
from functools import partial
from pathlib import Path

from contenders.artifacts import instances
from contenders.base import APPS, Contender, Running, listening, on_our_server


def on_uvicorn(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    command = [sys.executable, "-m", "uvicorn", "constant_app:app", "--app-dir", APPS, "--workers", "2",
               "--no-access-log", "--log-level", "warning"]  # fmt: skip
    return listening(contender, place, lambda port: [*command, "--port", port], environment={})


constant = partial(
    Contender, path=lambda case: "/predict", body=instances, read=lambda answer: [answer["prediction"]], cases=("one",)
)
CONTENDERS = (
    constant(
        name="constant",
        title="a constant answer, same server",
        start=lambda contender, place: on_our_server("constant_app:app", contender, place),
    ),
    constant(name="constant_uvicorn", title="a constant answer, uvicorn as it comes", start=on_uvicorn),
)
