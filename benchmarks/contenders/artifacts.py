"""The models that all contenders serve, as files, and what is asked of them."""

import json
import sys
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contenders.forests import BOTH

ROOT = Path(__file__).resolve().parent.parent.parent
FEATURES, ROWS = 30, 1_000


@dataclass(frozen=True)
class Case:
    """`name` is also how it is chosen: "one" row of iris, "thousand" rows of a wide forest."""

    name: str
    model: str
    rows: tuple[tuple[float, ...], ...]
    columns: tuple[str, ...]
    expected: list[str]

    @property
    def as_lists(self) -> list[list[float]]:
        return [list(row) for row in self.rows]

    @property
    def as_row(self) -> dict[str, float]:
        return dict(zip(self.columns, self.rows[0], strict=True))


@cache
def iris() -> tuple[Any, Any]:
    """Return the forest of examples/iris, by its own training, and a sample."""
    sys.path.insert(0, str(ROOT / "examples" / "iris"))
    from train import train

    trained = train()
    return trained.model, trained.sample


@cache
def wide() -> tuple[Any, Any]:
    """Return a forest over made-up rows of 30 features, and the rows."""
    import pandas as pd
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier

    values, target = make_classification(ROWS, FEATURES, n_informative=10, random_state=0)
    rows = pd.DataFrame(values.round(4), columns=[f"feature {number}" for number in range(FEATURES)])
    return RandomForestClassifier(n_estimators=10, random_state=0).fit(rows, target), rows


@cache
def case_of(name: str) -> Case:
    model, rows = iris() if name == "one" else wide()
    chosen = rows[model.predict(rows) == "virginica"].iloc[:1] if name == "one" else rows  # as the constant answers
    values = tuple(tuple(row) for row in chosen.to_numpy().tolist())
    expected = [str(label) for label in model.predict(chosen)]
    return Case(name, "iris" if name == "one" else "wide", values, tuple(rows.columns), expected)


def write_models(place: Path) -> None:
    """Write each model as joblib writes it, iris in both its forms, and as the graph that Foretell serves."""
    import joblib

    from foretell.inference.conversion import convert

    place.mkdir(parents=True, exist_ok=True)
    for forest in BOTH:
        joblib.dump(for_arrays(iris()[0], n_jobs=forest.n_jobs), place / forest.file)
    joblib.dump(for_arrays(wide()[0], n_jobs=None), place / "wide.joblib")
    for name, (model, sample) in {"iris": iris(), "wide": wide()}.items():
        converted = convert(model, sample)
        assert converted.graph is not None, converted.reason
        (place / f"{name}.onnx").write_bytes(converted.graph)


def for_arrays(model: Any, *, n_jobs: int | None) -> Any:
    """Return the same trees for servers that feed plain arrays: a forest that knows names warns at each of them."""
    same = deepcopy(model)
    del same.feature_names_in_
    return same.set_params(n_jobs=n_jobs)


def instances(case: Case) -> bytes:
    """Return the body that Foretell and our own comparisons take: a plain row, or a list of lists."""
    value = case.as_row if case.name == "one" else {"instances": case.as_lists}
    return json.dumps(value).encode()
