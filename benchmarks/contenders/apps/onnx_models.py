"""The two graphs, opened with one thread each."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


class Graph:
    def __init__(self, name: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = Path(os.environ["BENCH_MODELS"]) / f"{name}.onnx"
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.feed = self.session.get_inputs()[0]
        self.dtype = np.float64 if "double" in self.feed.type else np.float32

    def __call__(self, rows: list[list[float]]) -> tuple[list[Any], list[Any]]:
        labels, probabilities = self.session.run(None, {self.feed.name: np.array(rows, dtype=self.dtype)})
        return labels.tolist(), probabilities.tolist()


GRAPHS = {name: Graph(name) for name in ("iris", "wide")}
