"""Measure a prediction from bytes to bytes, without a server: parse, feed and run, answer; beside the least that Python could do.

In turns, so that whatever else the machine does meets all alike; medians. Needs scikit-learn. Takes half a minute.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from foretell.inference.codec.answers import encoded_answer
from foretell.inference.codec.json_rows import parse_json, parse_json_strictly
from foretell.inference.conversion import convert
from foretell.inference.loaded_models import LoadedModels
from foretell.inference.predicting import LoadedModel, predict
from foretell.inference.runtimes.graph_inputs import feeds_for
from foretell.inference.runtimes.onnx import OnnxRuntime, open_session

ROUNDS = 41
ROUND_S = 0.01  # of each function in a round

Work = Callable[[], Any]


@dataclass(frozen=True)
class Served:
    """A model as it is served, and the same graph bare."""

    name: str
    model: LoadedModel
    session: Any
    feeds: tuple[Any, ...]
    examples: dict[str, list[Any]]

    def rows(self, n_rows: int) -> list[dict[str, Any]]:
        columns = self.examples
        return [
            {
                name: values[row % len(values)]
                for name, values in columns.items()
                if values[row % len(values)] is not None
            }
            for row in range(n_rows)
        ]


def main() -> None:
    iris, titanic, cancer = an_iris_forest(), a_titanic_pipeline(), a_cancer_forest()
    print("| µs | " + " | ".join(HEADER) + " |\n| --- |" + " --: |" * len(HEADER))
    for served, n_rows, as_lists in (
        (iris, 1, False),
        (titanic, 1, False),
        (cancer, 1_000, False),
        (cancer, 1_000, True),
    ):
        print_row(served, n_rows, as_lists)
    print("\n| µs per row, in batches of | 1 | 8 | 32 |\n| --- | --: | --: | --: |")
    for served in (iris, an_iris_forest(100), an_iris_forest(500), titanic):
        print_batches(served)
    print_lending()


HEADER = (
    "strict parse",
    "parse",
    "feed and run",
    "answer",
    "all",
    "bare parse",
    "bare arrays",
    "bare run",
    "all bare",
    "all ÷ bare",
)


def print_row(served: Served, n_rows: int, as_lists: bool) -> None:
    body = body_of(served, n_rows, as_lists)
    model, signature = served.model, served.model.signature
    parsed = parse_json(signature, body)
    predictions = predict(model, parsed.batch)
    names = {"model": "iris", "version": 1, "id": "0199a1b2-0000-7000-8000-000000000000", "is_single": n_rows == 1}
    value, feed = msgspec.json.decode(body), bare_feed(served, msgspec.json.decode(body))
    found = medians(
        lambda: parse_json_strictly(signature, body),
        lambda: parse_json(signature, body),
        lambda: predict(model, parsed.batch),
        lambda: encoded_answer(signature, predictions, **names),  # type: ignore[arg-type]
        lambda: encoded_answer(signature, predict(model, parse_json(signature, body).batch), **names),  # type: ignore[arg-type]
        lambda: msgspec.json.decode(body),
        lambda: bare_feed(served, value),
        lambda: served.session.run(None, feed),
        lambda: served.session.run(None, bare_feed(served, msgspec.json.decode(body))),
    )
    label = f"{served.name}, {n_rows:,} x {len(signature.inputs)}{' as lists' if as_lists else ''}"
    cells = [f"{micros:,.1f}" for micros in found] + [f"{found[4] / found[8]:.2f}"]
    print(f"| {label} | {' | '.join(cells)} |")


def print_batches(served: Served) -> None:
    """Say what a row costs in company: what waiting for company could save."""
    sizes = (1, 8, 32)
    batches = [parse_json(served.model.signature, body_of(served, size, False)).batch for size in sizes]
    found = medians(*(lambda batch=batch: served.model.runtime.run(batch) for batch in batches))
    print(f"| {served.name} | {' | '.join(f'{all_s / size:.1f}' for all_s, size in zip(found, sizes, strict=True))} |")


def print_lending() -> None:
    models = LoadedModels()
    models.warm("key", 1, lambda: an_iris_forest().model)

    def lend_and_give_back() -> None:
        models.lend("key")
        models.give_back("key")

    (micros,) = medians(lend_and_give_back)
    print(f"\nlend and give back: {micros:.2f} µs")


# --- the least that Python could do ---------------------------------------------------------------------------------------


def bare_feed(served: Served, value: Any) -> dict[str, Any]:
    """Return the graph's tensors from decoded JSON, without a look at anything."""
    rows = value.get("instances", [value])
    names = list(served.examples)
    if len(served.feeds) == 1:
        table = rows if isinstance(rows[0], list) else [list(row.values()) for row in rows]
        return {served.feeds[0].name: np.array(table, dtype=served.feeds[0].dtype)}
    missing = {feed.name: "" if feed.dtype is object else np.nan for feed in served.feeds}
    return {
        feed.name: np.array([[row.get(feed.name, missing[feed.name])] for row in rows], dtype=feed.dtype)
        for feed in served.feeds
        if feed.name in names
    }


def medians(*works: Work) -> list[float]:
    """Return the median time of each in microseconds, measured in turns."""
    counts = [count_of(work) for work in works]
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, count, found in zip(works, counts, times, strict=True):
            found.append(seconds(work, count) / count * 1e6)
    return [statistics.median(found) for found in times]


def count_of(work: Work) -> int:
    seconds(work, 3)
    return max(1, round(ROUND_S / (seconds(work, 3) / 3)))


def seconds(work: Work, count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - started


def body_of(served: Served, n_rows: int, as_lists: bool) -> bytes:
    rows = served.rows(n_rows)
    if n_rows == 1:
        return json.dumps(rows[0]).encode()
    return json.dumps({"instances": [list(row.values()) for row in rows] if as_lists else rows}).encode()


# --- models -----------------------------------------------------------------------------------------------------------------


def an_iris_forest(n_trees: int = 10) -> Served:
    data = load_iris(as_frame=True)
    labels = data.target_names[data.target]
    return served(
        f"iris, forest of {n_trees}", RandomForestClassifier(n_trees, random_state=0).fit(data.data, labels), data.data
    )


def a_cancer_forest() -> Served:
    data = load_breast_cancer(as_frame=True)
    return served(
        "cancer, forest of 10", RandomForestClassifier(10, random_state=0).fit(data.data, data.target), data.data
    )


def a_titanic_pipeline() -> Served:
    rng, n_rows = np.random.default_rng(0), 800
    frame = pd.DataFrame({
        "pclass": rng.integers(1, 4, n_rows), "sex": rng.choice(["female", "male"], n_rows),
        "age": np.where(rng.random(n_rows) < 0.2, np.nan, rng.uniform(0.5, 80, n_rows).round(1)),
        "sibsp": rng.integers(0, 6, n_rows), "fare": rng.uniform(0, 500, n_rows).round(2), "embarked": rng.choice(["C", "Q", "S"], n_rows),
    })  # fmt: skip
    survived = ((frame.sex == "female") ^ (rng.random(n_rows) < 0.2)).astype(int)
    numbers = (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "fare", "sibsp", "pclass"])
    words = (OneHotEncoder(handle_unknown="ignore"), ["sex", "embarked"])
    columns = ColumnTransformer([("numbers", *numbers), ("words", *words)])
    return served("titanic, pipeline", make_pipeline(columns, LogisticRegression()).fit(frame, survived), frame)


def served(name: str, estimator: Any, sample: Any) -> Served:
    converted = convert(estimator, sample)
    assert converted.graph is not None, converted.reason
    session = open_session(converted.graph)
    return Served(
        name, LoadedModel(converted.signature, OnnxRuntime(converted.graph, converted.signature)), session,
        feeds_for(session.get_inputs(), converted.signature), converted.examples.to_json()["inputs"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
