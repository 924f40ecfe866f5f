"""The forest as a BentoML service whose calls are batched."""

import os

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=2, traffic={"timeout": 30})
class Iris:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["BENCH_FOREST"])  # noqa: TID251  our own file

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=1_000)
    def predict(self, rows: np.ndarray) -> list[str]:
        labels: list[str] = self.model.predict(rows).tolist()
        return labels
