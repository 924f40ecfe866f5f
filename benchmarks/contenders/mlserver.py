"""MLServer with its scikit-learn runtime and two inference processes, over the Open Inference Protocol."""

import contextlib
import json
from pathlib import Path
from typing import Any

from contenders.artifacts import Case
from contenders.base import ONE_THREAD, Contender, Running, free_port, listening
from contenders.environments import python_with


def start(contender: Contender, place: Path) -> contextlib.AbstractContextManager[Running]:
    folder = place / contender.name
    folder.mkdir()
    model: dict[str, Any] = {
        "name": "iris", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(place / "models" / "iris.joblib")},
    }  # fmt: skip
    if contender.environment:
        model |= {"max_batch_size": 32, "max_batch_time": 0.002}
    (folder / "model-settings.json").write_text(json.dumps(model))

    def command(port: int) -> list[Any]:
        ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
        settings = {"host": "127.0.0.1", "parallel_workers": 2, "debug": False, **ports}
        (folder / "settings.json").write_text(json.dumps(settings))
        return [python_with(contender.packages).parent / "mlserver", "start", folder]

    return listening(contender, place, command, environment=contender.environment)


def body(case: Case) -> bytes:
    shape, data = [len(case.rows), len(case.columns)], [value for row in case.rows for value in row]
    return json.dumps({"inputs": [{"name": "rows", "datatype": "FP64", "shape": shape, "data": data}]}).encode()


def contender(name: str, title: str, environment: dict[str, str]) -> Contender:
    return Contender(
        name=name, title=title, start=start, path=lambda case: "/v2/models/iris/infer", body=body, cases=("one",),
        read=lambda answer: list(answer["outputs"][0]["data"]), environment=environment,
        packages=("mlserver", "mlserver-sklearn", "uvloop<0.22"),
    )  # fmt: skip


CONTENDERS = (
    contender("mlserver", "MLServer", {}),
    contender("mlserver_tuned", "MLServer, adaptive batching, one OpenMP thread", ONE_THREAD),
)
