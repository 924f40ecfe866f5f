"""A few rows of the sample with the author's own answers: stored with a version, and asked again wherever it is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from foretell.inference.batch import Array, Batch, OutputValues, Predictions
from foretell.inference.columns import batch_from_json, batch_to_json
from foretell.inference.errors import InvalidSignature
from foretell.inference.labels import label_dtype
from foretell.inference.signature import Label, Output, Signature, Task

MAX_EXAMPLES = 64


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows, and what the author's estimator answered to them."""

    batch: Batch
    answers: Predictions

    def __len__(self) -> int:
        return self.batch.n_rows

    def to_json(self) -> dict[str, Any]:
        answers = {name: _values_to_json(values) for name, values in self.answers.outputs.items()}
        return {"inputs": batch_to_json(self.batch), "answers": answers}

    @classmethod
    def from_json(cls, data: Any, signature: Signature) -> "Examples":
        """Read what `to_json` wrote, checking every value against the signature.

        Raises
        ------
        InvalidSignature
            names the input or output whose values do not fit.
        """
        if (
            not isinstance(data, Mapping)
            or set(data) != {"inputs", "answers"}
            or not isinstance(data["answers"], Mapping)
        ):
            raise InvalidSignature("Examples have inputs and answers, each an object of columns.")
        batch = batch_from_json(signature, data["inputs"], max_rows=MAX_EXAMPLES)
        names = [output.name for output in signature.outputs]
        if set(data["answers"]) != set(names):
            raise InvalidSignature(
                f"The examples' answers have a column for each output and no other: {', '.join(names[:20])}."
            )
        answers = {
            output.name: _values_from_json(data["answers"][output.name], output, batch.n_rows)
            for output in signature.outputs
        }
        return cls(batch, Predictions(answers, batch.n_rows))

    def first(self) -> dict[str, Any] | None:
        """Return the first row and its answer, as one shows them to a person: {"inputs": {…}, "answer": {…}}."""
        if not len(self):
            return None
        data = self.to_json()
        return {
            "inputs": {name: values[0] for name, values in data["inputs"].items()},
            "answer": {name: values["values"][0] for name, values in data["answers"].items()},
        }


def _values_to_json(values: OutputValues) -> dict[str, Any]:
    data: dict[str, Any] = {"values": _plain(values.values)}
    if values.probabilities is not None:
        data["probabilities"] = [_plain(row) for row in values.probabilities]
    return data


def _plain(array: Array) -> list[Any]:
    return [None if isinstance(value, float) and not np.isfinite(value) else value for value in array.tolist()]


def _values_from_json(data: Any, output: Output, n_rows: int) -> OutputValues:
    if (
        not isinstance(data, Mapping)
        or set(data) - {"values", "probabilities"}
        or ("probabilities" in data) != output.probabilities
    ):
        promise = "values and probabilities" if output.probabilities else "values"
        raise InvalidSignature(f"The examples' answers for {output.name!r} have {promise}.")
    values = _checked_list(data["values"], output, n_rows)
    is_label = output.task not in (Task.REGRESSION, Task.TRANSFORM)
    if not is_label:
        return OutputValues(_floats(values, output))
    return OutputValues(
        _labels(values, output), _matrix(data["probabilities"], output, n_rows) if output.probabilities else None
    )


def _checked_list(values: Any, output: Output, length: int) -> list[Any]:
    if not isinstance(values, list) or len(values) != length:
        raise InvalidSignature(f"The examples' answers for {output.name!r} need {length} values.")
    return values


def _labels(values: list[Any], output: Output) -> Array:
    allowed: dict[tuple[type, Label], Label] = {(type(label), label): label for label in output.classes}
    for value in values:
        is_known = (type(value), value) in allowed if output.classes else type(value) is int and abs(value) < 2**53
        if not is_known:
            raise InvalidSignature(
                f"The examples answer {value!r:.80} for {output.name!r}, which is none of its classes."
            )
    dtype = label_dtype(output.classes) if output.classes else np.int64
    return np.array(values, dtype=dtype)


def _matrix(rows: Any, output: Output, n_rows: int) -> Array:
    rows = _checked_list(rows, output, n_rows)
    matrix = [_floats(_checked_list(row, output, len(output.classes)), output) for row in rows]
    return np.array(matrix, dtype=np.float64).reshape(n_rows, len(output.classes))


def _floats(values: list[Any], output: Output) -> Array:
    if not all(value is None or type(value) in (int, float) for value in values):
        raise InvalidSignature(f"The examples' answers for {output.name!r} are numbers.")
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
