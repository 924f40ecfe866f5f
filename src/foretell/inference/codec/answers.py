"""Predictions in the words of our own API: JSON, or the same rows again as CSV with the answer beside them."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from foretell.inference.batch import Array, Batch, OutputValues, Predictions
from foretell.inference.codec.fast_answers import ManyAnswers, SingleAnswer, scalar_rows
from foretell.inference.codec.parsed import Table
from foretell.inference.columns import batch_to_json
from foretell.inference.errors import InputProblem
from foretell.inference.labels import label_text
from foretell.inference.signature import Output, Signature

PREDICTION, PROBABILITY = "prediction", "probability"
_encode = msgspec.json.Encoder().encode


def json_answer(
    signature: Signature,
    predictions: Predictions,
    *,
    is_single: bool,
    model: str,
    version: int,
    id: str,
    warnings: Sequence[InputProblem] = (),
) -> dict[str, Any]:
    """Return the answer to one bare row, or to rows.

    A model with one output answers a bare value for each row; several outputs, or a transformation, an object by the
    outputs' names. Numbers are float64 with the fewest digits that mean them; what is not finite is null.
    """
    values = _prediction_rows(signature, predictions)
    probabilities = _probability_rows(signature, predictions)
    answer: dict[str, Any] = {"prediction": values[0]} if is_single else {"predictions": values}
    if probabilities is not None:
        answer["probabilities"] = probabilities[0] if is_single else probabilities
    answer |= {"model": model, "version": version, "id": id}
    if warnings:
        answer["warnings"] = [
            {"attr": warning.attr, "code": warning.code, "detail": warning.detail} for warning in warnings
        ]
    return answer


def encoded_answer(
    signature: Signature,
    predictions: Predictions,
    *,
    is_single: bool,
    model: str,
    version: int,
    id: str,
    warnings: Sequence[InputProblem] = (),
) -> bytes:
    """Return `json_answer` as JSON: the bytes that every face of our own API sends, and the log keeps.

    Numbers have the fewest digits that mean them, as msgspec writes them.
    """
    rows = scalar_rows(signature)
    if rows is None:
        return _encode(
            json_answer(signature, predictions, is_single=is_single, model=model, version=version, id=id, warnings=warnings)
        )  # fmt: skip
    values, shares = rows(predictions)
    stated = warnings or UNSET
    if is_single:
        return _encode(SingleAnswer(values[0], shares and shares[0], model, version, id, stated))
    return _encode(ManyAnswers(values, shares, model, version, id, stated))


def csv_answer(signature: Signature, batch: Batch, predictions: Predictions, *, table: Table | None = None) -> bytes:
    """Return the rows with the columns ``prediction`` and ``probability_<class>`` beside them.

    Rows that came as CSV (`table`) go back cell by cell as they came. With several outputs each has its own columns:
    ``prediction_<output>``, ``probability_<output>_<class>``. Names that the rows have already get underscores.
    """
    table = table or _as_table(batch)
    header, columns = _answer_columns(signature, predictions, taken=set(table.header))
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([*table.header, *header])
    writer.writerows([*row, *answers] for row, answers in zip(table.rows, zip(*columns, strict=True), strict=True))
    return file.getvalue().encode("utf-8")


def _prediction_rows(signature: Signature, predictions: Predictions) -> list[Any]:
    columns = {name: _plain(values.values) for name, values in predictions.outputs.items()}
    if signature.is_scalar:
        return columns[signature.outputs[0].name]
    return _rows_of_objects(columns)


def _probability_rows(signature: Signature, predictions: Predictions) -> list[Any] | None:
    columns = {
        output.name: _by_class(output, predictions.outputs[output.name])
        for output in signature.outputs
        if output.probabilities and predictions.outputs[output.name].probabilities is not None
    }
    if not columns:
        return None
    return columns[signature.outputs[0].name] if signature.is_scalar else _rows_of_objects(columns)


def _rows_of_objects(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _by_class(output: Output, values: OutputValues) -> list[dict[str, Any]]:
    keys = [label_text(label) for label in output.classes]
    return [dict(zip(keys, row, strict=True)) for row in _plain(values.probabilities)]


def _plain(array: Array | None) -> list[Any]:
    if array is None:
        return []
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        array = np.where(np.isfinite(array), array.astype(object), None)  # type: ignore[call-overload]  # stubs forget None
    plain: list[Any] = array.tolist()
    return plain


def _answer_columns(
    signature: Signature, predictions: Predictions, *, taken: set[str]
) -> tuple[list[str], list[list[str]]]:
    header, columns = [], []
    for output in signature.outputs:
        for name, values in _columns_of(output, predictions.outputs[output.name], is_alone=signature.is_scalar):
            while name in taken:
                name += "_"
            taken.add(name)
            header.append(name)
            columns.append([_cell(value) for value in values])
    return header, columns


def _columns_of(output: Output, values: OutputValues, *, is_alone: bool) -> Iterator[tuple[str, list[Any]]]:
    middle = "" if is_alone else f"_{output.name}"
    yield f"{PREDICTION}{middle}", _plain(values.values)
    if values.probabilities is not None:
        for label, column in zip(output.classes, values.probabilities.T, strict=True):
            yield f"{PROBABILITY}{middle}_{label_text(label)}", _plain(column)


def _as_table(batch: Batch) -> Table:
    columns = batch_to_json(batch)
    cells = [[_cell(value) for value in values] for values in columns.values()]
    return Table(list(columns), list(zip(*cells, strict=True)))


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return label_text(value)
