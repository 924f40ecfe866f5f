"""Writes the table of kinds in docs/models.md: how each is served, how far its answers are, and how long a row takes.

Run it as `.venv/bin/python tools/model_table.py`; with `--check` it changes nothing and fails when a kind is missing
from the table or is served by another runtime than it says.
"""

import argparse
import re
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from model_kinds import KINDS, Kind

from foretell.inference.conversion import convert
from foretell.inference.conversion.samples import sample_batch
from foretell.inference.runtimes import Runtime
from foretell.inference.runtimes.onnx import OnnxRuntime
from foretell.inference.sandbox import Sandbox, spawn_sandbox

DOCS = Path(__file__).resolve().parent.parent / "docs" / "models.md"
BEGIN, END = "<!-- table: tools/model_table.py -->", "<!-- end of table -->"
_REPEATS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    kind: Kind
    runtime: str
    rows: int
    largest_difference: float
    row_us: float
    estimator_us: float


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="change nothing; fail when the table is out of date")
    is_check = options.parse_args().check
    warnings.simplefilter("ignore")
    with spawn_sandbox() as sandbox:
        rows = [measured(kind, sandbox) for kind in KINDS]
    return checked(rows) if is_check else written(rows)


def measured(kind: Kind, sandbox: Sandbox) -> Row:
    estimator, sample = kind.fitted()
    converted = convert(estimator, sample)
    runtime = _runtime(converted, estimator, sandbox)
    one = sample_batch(converted.signature, sample).take(np.array([0]))
    took = _microseconds(lambda: runtime.run(one))
    runtime.close()
    ask = estimator.predict if hasattr(estimator, "predict") else estimator.transform
    difference = converted.parity.largest_difference if converted.runtime == "onnx" else 0.0
    return Row(kind, converted.runtime, converted.parity.rows, difference, took, _microseconds(lambda: ask(sample[:1])))


def _runtime(converted: Any, estimator: Any, sandbox: Sandbox) -> Runtime:
    if converted.graph is not None:
        return OnnxRuntime(converted.graph, converted.signature)
    import io

    import joblib

    from foretell.inference.runtimes.python import PythonRuntime

    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return PythonRuntime(sandbox, [("model", buffer.getvalue())], converted.signature)


def _microseconds(ask: Any) -> float:
    """Return the median of repeated calls, after a warm-up."""
    for _ in range(5):
        ask()
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        ask()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e6


def as_markdown(rows: list[Row]) -> str:
    lines = [
        "| kind | data | runtime | rows compared | largest difference | one row | the estimator itself |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.kind.name} | {row.kind.data} | {row.runtime} | {row.rows:,} | {row.largest_difference:.1g} | {row.row_us:,.0f} µs | {row.estimator_us:,.0f} µs |"
        for row in rows
    ]
    return "\n".join(lines)


def written(rows: list[Row]) -> int:
    text = DOCS.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCS.write_text(f"{before}{BEGIN}\n{as_markdown(rows)}\n{END}{after}", encoding="utf-8")
    print(f"{DOCS}: {len(rows)} kinds", file=sys.stderr)  # noqa: T201 - a command
    return 0


def checked(rows: list[Row]) -> int:
    text = DOCS.read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| ([^|]+) \| [^|]+ \| (onnx|python) \|", text, re.MULTILINE))
    wrong = [row.kind.name for row in rows if stated.get(row.kind.name) != row.runtime]
    if wrong:
        print(f"{DOCS} is out of date for {', '.join(wrong)}: run tools/model_table.py", file=sys.stderr)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
