"""The forest behind Ray Serve: `ray_app.py DIRECTORY logging|quiet PORT`; quiet has no line per request."""

import os
import sys
from typing import Any

import joblib
import numpy as np
import ray
from ray import serve


@serve.deployment(num_replicas=2, max_ongoing_requests=64, ray_actor_options={"num_cpus": 0})
class Iris:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["BENCH_FOREST"])  # noqa: TID251  our own file

    async def __call__(self, request: Any) -> dict[str, str]:
        return {"prediction": await self.predict((await request.json())["row"])}

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.002)
    async def predict(self, rows: list[list[float]]) -> list[str]:
        labels: list[str] = self.model.predict(np.array(rows)).tolist()
        return labels


if __name__ == "__main__":
    directory, logging, port = sys.argv[1:]
    ray.init(
        include_dashboard=False, num_cpus=2, _temp_dir=directory, object_store_memory=80_000_000, log_to_driver=False
    )
    said = {"enable_access_log": logging == "logging"}
    serve.start(http_options={"host": "127.0.0.1", "port": int(port)}, logging_config=said)
    serve.run(Iris.options(logging_config=said).bind(), blocking=True)
