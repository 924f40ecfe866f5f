"""BentoML with two workers and adaptive batching."""

import contextlib
import json
from pathlib import Path

from contenders.base import APPS, Contender, Running, listening
from contenders.environments import python_with
from contenders.forests import BOTH, Forest


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    python, home = python_with(contender.packages), place / f"{contender.name}-home"
    home.mkdir()
    own = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    command = [python.parent / "bentoml", "serve", "bento_app:Iris", "--working-dir", APPS, "--host", "127.0.0.1"]
    return listening(
        contender, place, lambda port: [*command, "--port", port], environment={**own, **contender.settings(place)}
    )


def contender(forest: Forest) -> Contender:
    return Contender(
        name=f"bentoml{forest.suffix}", title=f"BentoML, batching{forest.said}", start=start, forest=forest, path=lambda case: "/predict", cases=("one",), read=list,
        body=lambda case: json.dumps({"rows": case.as_lists}).encode(), packages=("bentoml",),
    )  # fmt: skip


CONTENDERS = tuple(contender(forest) for forest in BOTH)
