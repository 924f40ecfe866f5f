"""The forest behind LitServe: `lit_app.py PORT`."""

import os
import sys
from typing import Any

import joblib
import litserve
import numpy as np


class Iris(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = joblib.load(os.environ["BENCH_FOREST"])  # noqa: TID251  our own file

    def decode_request(self, request: dict[str, Any]) -> list[float]:
        row: list[float] = request["row"]
        return row

    def batch(self, inputs: list[list[float]]) -> Any:
        return np.array(inputs)

    def predict(self, rows: Any) -> Any:
        return self.model.predict(rows)

    def unbatch(self, output: Any) -> list[str]:
        labels: list[str] = output.tolist()
        return labels

    def encode_response(self, output: str) -> dict[str, str]:
        return {"prediction": output}


if __name__ == "__main__":
    server = litserve.LitServer(
        Iris(max_batch_size=32, batch_timeout=0.002), accelerator="cpu", workers_per_device=2, timeout=30
    )
    server.run(
        port=int(sys.argv[1]), host="127.0.0.1", num_api_servers=2, generate_client_file=False, log_level="error"
    )
