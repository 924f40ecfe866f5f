"""The estimator itself as a runtime: the reference for conversion, and what a python runtime's locked worker calls."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from foretell.errors import shortened
from foretell.inference.batch import Array, Batch, OutputValues, Predictions
from foretell.inference.errors import RunFailed
from foretell.inference.frames import estimator_input
from foretell.inference.labels import as_labels
from foretell.inference.signature import Output, Signature, Task


class EstimatorRuntime:
    """A fitted estimator, asked with the columns of its signature. Not for untrusted estimators outside the sandbox."""

    name = "python"

    def __init__(self, estimator: Any, signature: Signature) -> None:
        self._estimator = estimator
        self._signature = signature

    def run(self, batch: Batch) -> Predictions:
        rows = estimator_input(self._estimator, self._signature, batch)
        try:
            with _quiet():
                answers = self._answers(rows, batch.n_rows)
        except Exception as error:  # noqa: BLE001 - an estimator may raise anything
            raise RunFailed(
                f"The estimator gave up on these rows: {type(error).__name__}: {shortened(str(error), 500)}"
            ) from None
        return Predictions(answers, batch.n_rows)

    def close(self) -> None:
        self._estimator = None

    def _answers(self, rows: Any, n_rows: int) -> dict[str, OutputValues]:
        outputs = self._signature.outputs
        if self._signature.task is Task.TRANSFORM:
            return _numbers(self._estimator.transform(rows), outputs, n_rows)
        values = self._estimator.predict(rows)
        if all(output.task is Task.REGRESSION for output in outputs):
            return _numbers(values, outputs, n_rows)
        return self._labels(values, rows, n_rows)

    def _labels(self, values: Any, rows: Any, n_rows: int) -> dict[str, OutputValues]:
        outputs = self._signature.outputs
        table = _dense(values).reshape(n_rows, len(outputs))
        blocks = self._probabilities(rows) if any(output.probabilities for output in outputs) else [None] * len(outputs)
        return {
            output.name: OutputValues(_label_values(table[:, position], output), blocks[position])
            for position, output in enumerate(outputs)
        }

    def _probabilities(self, rows: Any) -> list[Array | None]:
        outputs = self._signature.outputs
        found = self._estimator.predict_proba(rows)
        blocks = found if len(outputs) > 1 else [found]
        if len(outputs) > 1 and not isinstance(found, list):
            # Multilabel: one column per label, the probability of the label's being there.
            blocks = [np.column_stack([1.0 - column, column]) for column in np.asarray(found, dtype=np.float64).T]
        return [
            np.asarray(block, dtype=np.float64) if output.probabilities else None
            for block, output in zip(blocks, outputs, strict=True)
        ]


def _label_values(values: Array, output: Output) -> Array:
    return np.asarray(values, dtype=np.float64) if output.task is Task.REGRESSION else as_labels(values, output.classes)


def _numbers(values: Any, outputs: tuple[Output, ...], n_rows: int) -> dict[str, OutputValues]:
    table = np.asarray(_dense(values), dtype=np.float64).reshape(n_rows, len(outputs))
    return {output.name: OutputValues(table[:, position]) for position, output in enumerate(outputs)}


def _dense(values: Any) -> Array:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep a library's warnings about its own future from the author's terminal."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
