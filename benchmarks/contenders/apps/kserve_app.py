"""The forest behind KServe's model server, as its scikit-learn runtime has it: `kserve_app.py --http_port PORT …`."""

import argparse
import os
from typing import Any

import joblib
from kserve import Model, ModelServer, model_server
from kserve.utils.utils import get_predict_input, get_predict_response


class Iris(Model):  # type: ignore[misc,no-any-unimported]
    def __init__(self) -> None:
        super().__init__("iris")
        self.forest = joblib.load(os.environ["BENCH_FOREST"])  # noqa: TID251  our own file
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        return get_predict_response(payload, self.forest.predict(get_predict_input(payload)), self.name)


if __name__ == "__main__":
    options = argparse.ArgumentParser(parents=[model_server.parser]).parse_args()
    ModelServer(
        http_port=options.http_port, workers=options.workers, enable_grpc=options.enable_grpc,
        enable_latency_logging=options.enable_latency_logging,
    ).start([Iris()])  # fmt: skip
