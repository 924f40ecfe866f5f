"""MLServer with its scikit-learn runtime and two inference processes, over the Open Inference Protocol."""

import contextlib
import json
from pathlib import Path
from typing import Any

from contenders.artifacts import Case
from contenders.base import Contender, Running, free_port, listening
from contenders.environments import python_with
from contenders.forests import BOTH, TUNED, Forest


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    folder = place / contender.name
    folder.mkdir()
    model: dict[str, Any] = {
        "name": "iris", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(place / "models" / contender.forest.file)},
    }  # fmt: skip
    if contender.forest is TUNED:
        model |= {"max_batch_size": 32, "max_batch_time": 0.002}
    (folder / "model-settings.json").write_text(json.dumps(model))

    def command(port: int) -> list[Any]:
        ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
        settings = {"host": "127.0.0.1", "parallel_workers": 2, "debug": False, **ports}
        (folder / "settings.json").write_text(json.dumps(settings))
        return [python_with(contender.packages).parent / "mlserver", "start", folder]

    return listening(contender, place, command, environment=contender.settings(place))


def body(case: Case) -> bytes:
    shape, data = [len(case.rows), len(case.columns)], [value for row in case.rows for value in row]
    return json.dumps({"inputs": [{"name": "rows", "datatype": "FP64", "shape": shape, "data": data}]}).encode()


def contender(forest: Forest) -> Contender:
    batching = ", adaptive batching" if forest is TUNED else ""
    return Contender(
        name=f"mlserver{forest.suffix}", title=f"MLServer{batching}{forest.said}", start=start, forest=forest, path=lambda case: "/v2/models/iris/infer", body=body, cases=("one",),
        read=lambda answer: list(answer["outputs"][0]["data"]),
        packages=("mlserver", "mlserver-sklearn", "uvloop<0.22"),
    )  # fmt: skip


CONTENDERS = tuple(contender(forest) for forest in BOTH)
