"""Push small models through the public client and print, as JSON, how long they took to be ready and to answer."""

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import joblib
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import foretell

TIMES = 5


def main() -> None:
    sample, target = load_wine(return_X_y=True, as_frame=True)
    print(
        json.dumps(
            {
                "converted_s": statistics.median(push_converted(sample, target, seed) for seed in range(TIMES)),
                "raw_s": statistics.median(push_raw(sample, target, seed) for seed in range(TIMES)),
                "python_runtime_ms": python_runtime_ms(sample, target),
            }
        )
    )


def classifier(sample: Any, target: Any, seed: int) -> Any:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0 + seed / 100, max_iter=1_000))
    return model.fit(sample, target)


def push_converted(sample: Any, target: Any, seed: int) -> float:
    model = classifier(sample, target, seed)
    started = time.perf_counter()
    foretell.push(model, "bench-converted", sample=sample, progress=False)
    return time.perf_counter() - started


def push_raw(sample: Any, target: Any, seed: int) -> float:
    """Upload the file as it is, as a browser would, so that the server's sandbox converts it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.joblib"
        joblib.dump(classifier(sample, target, TIMES + seed), path)
        started = time.perf_counter()
        foretell.push(path, "bench-raw", sample=sample, convert="server", progress=False)
        return time.perf_counter() - started


def python_runtime_ms(sample: Any, target: Any) -> float:
    """Time one row of an estimator that has no exact graph."""
    model = KNeighborsClassifier(n_neighbors=4).fit(sample.round(0), target)
    version = foretell.push(model, "bench-python", sample=sample, progress=False)
    row = {name: float(value) for name, value in sample.iloc[0].items()}
    with foretell.Client() as client:
        seconds = []
        for _ in range(100):
            started = time.perf_counter()
            client.predict("bench-python", row, version=version.version)
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1e3


if __name__ == "__main__":
    main()
