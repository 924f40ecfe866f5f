"""Rows that came as a matrix enter a graph as the same tensors as columns would."""

from collections.abc import Sequence

import numpy as np
import pytest

from foretell.inference.batch import Batch, MatrixColumns
from foretell.inference.codec.json_rows import parse_json, parse_json_strictly
from foretell.inference.runtimes.graph_inputs import Tensor, feeds_for
from foretell.inference.runtimes.onnx import OnnxRuntime
from foretell.inference.signature import DType, Input
from tests.inference.signatures import taking
from tests.models import sum_graph, sum_signature

COUNTED = taking(
    Input(name="a", dtype=DType.FLOAT), Input(name="b", dtype=DType.INT), Input(name="c", dtype=DType.FLOAT, nullable=True)
)  # fmt: skip
BODY = b'{"instances": [{"a": 1e15, "b": 2, "c": null}, {"a": -1e15, "b": 3, "c": 0.1}, {"a": 0.1, "b": 2147483647}]}'


class Taken:
    def __init__(self, name: str, type: str, *shape: int | None) -> None:
        self.name, self.type = name, f"tensor({type})"
        self.shape: Sequence[int | str | None] = shape


LAYOUTS = [
    [Taken("x", "double", None, 3)],
    [Taken("x", "float", None, 3)],
    [Taken("x", "float", None, 1), Taken("y", "double", None, 2)],
    [Taken("c", "float", None, 1), Taken("a", "double", None, 1), Taken("b", "int64", None, 1)],
    [Taken("c", "double", None), Taken("a", "float", None), Taken("b", "int32", None)],
    [Taken("a", "double", None, 1)],
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: " ".join(f"{t.name}{t.type}{t.shape}" for t in layout))
def test_a_matrix_fills_the_same_tensors_as_columns_do(layout: list[Tensor]) -> None:
    fast, strict = parse_json(COUNTED, BODY).batch, parse_json_strictly(COUNTED, BODY).batch
    assert isinstance(fast.columns, MatrixColumns)
    assert not isinstance(strict.columns, MatrixColumns)

    for feed in feeds_for(layout, COUNTED):
        one, other = feed.fill(fast), feed.fill(strict)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("layout", LAYOUTS[:3])
def test_what_float32_cannot_hold_becomes_infinite_and_nobody_is_warned(layout: list[Tensor]) -> None:
    matrix = np.array([[1e300, 1.0, -1e300]])
    columns = {name: matrix[:, position] for position, name in enumerate("abc")}

    for feed in feeds_for(layout, COUNTED):
        np.testing.assert_array_equal(feed.fill(Batch(columns, 1, matrix)), feed.fill(Batch(columns, 1)))


def test_rows_are_not_copied_where_the_graph_takes_them_as_they_are() -> None:
    batch = parse_json(COUNTED, b'{"instances": [[1, 2, 3], [4, 5, 6]]}').batch
    (feed,) = feeds_for([Taken("x", "double", None, 3)], COUNTED)

    assert feed.fill(batch) is batch.matrix


def test_a_graph_answers_rows_of_a_matrix_as_it_answers_columns() -> None:
    runtime, signature = OnnxRuntime(sum_graph(), sum_signature()), sum_signature()
    body = b'{"instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4.5}, {"b": 0, "a": 10}]}'

    fast, strict = (runtime.run(read(signature, body).batch) for read in (parse_json, parse_json_strictly))

    assert fast.outputs["sum"].values.tolist() == strict.outputs["sum"].values.tolist() == [3.0, 7.5, 10.0]
