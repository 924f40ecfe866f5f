"""LitServe with two inference workers, two API servers and batching."""

import contextlib
import json
from pathlib import Path

from contenders.base import APPS, Contender, Running, listening
from contenders.environments import python_with
from contenders.forests import BOTH, Forest


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    command = [python_with(contender.packages), APPS / "lit_app.py"]
    return listening(contender, place, lambda port: [*command, port], environment=contender.settings(place))


def contender(forest: Forest) -> Contender:
    return Contender(
        name=f"litserve{forest.suffix}", title=f"LitServe, batching{forest.said}", start=start, forest=forest, path=lambda case: "/predict", cases=("one",),
        body=lambda case: json.dumps({"row": case.rows[0]}).encode(), read=lambda answer: [answer["prediction"]],
        packages=("litserve",),
    )  # fmt: skip


CONTENDERS = tuple(contender(forest) for forest in BOTH)
