"""Tensors become the same rows as our own JSON, or are refused: never a value that nobody sent."""

from typing import Any

import numpy as np
import pytest

from foretell.inference.codec.json_rows import parse_json
from foretell.inference.errors import InvalidInput
from foretell.inference.signature import DType, Input, Signature
from foretell.inference.tensors import Tensor
from foretell.inference.tensors.binary import packed, packed_texts, unpacked
from foretell.inference.tensors.datatypes import BYTES, DATATYPES, narrowed_bfloat16, widened_bfloat16
from foretell.inference.tensors.elements import check_elements
from foretell.inference.tensors.rows import read_tensors
from foretell.inference.tensors.shapes import flattened, read_shape, resolved
from tests.inference.signatures import PASSENGER, PASSENGERS, taking

FLOAT = Input(name="x", dtype=DType.FLOAT)


def tensor(
    name: str, datatype: str, *values: Any, shape: tuple[int, ...] | None = None, content_type: str = ""
) -> Tensor:
    return Tensor(name, DATATYPES[datatype], shape or (len(values),), list(values), content_type)


def column(source: Input, datatype: str, *values: Any, content_type: str = "") -> list[Any]:
    """Return one input's column, read from one tensor."""
    read = read_tensors(taking(source), [tensor(source.name, datatype, *values, content_type=content_type)])
    found: list[Any] = read.batch.columns[source.name].tolist()
    return found


def refused(source: Input, datatype: str, *values: Any) -> str:
    with pytest.raises(InvalidInput) as refusal:
        column(source, datatype, *values)
    return refusal.value.problems[0].code


# --- which tensor is which input ---


def passengers() -> list[Tensor]:
    return [
        tensor("pclass", "INT32", 1), tensor("sex", "BYTES", "female"), tensor("age", "FP64", 29.0), tensor("embarked", "BYTES", "S"),
        tensor("cabin", "BYTES", "B5"), tensor("boarded", "BYTES", "1912-04-10T12:00:00Z"), tensor("alone", "BOOL", True),
        tensor("deck", "UINT8", 2),
    ]  # fmt: skip


def test_named_tensors_are_the_row_that_our_own_json_is() -> None:
    import json

    own = parse_json(PASSENGERS, json.dumps({"instances": [PASSENGER]}).encode())

    read = read_tensors(PASSENGERS, list(reversed(passengers())))

    assert {name: values.tolist() for name, values in read.batch.columns.items()} == {
        name: values.tolist() for name, values in own.batch.columns.items()
    }
    assert {name: values.dtype for name, values in read.batch.columns.items()} == {
        name: values.dtype for name, values in own.batch.columns.items()
    }


def test_a_matrix_has_a_column_for_each_input_in_the_signatures_order() -> None:
    signature = taking(FLOAT, Input(name="y", dtype=DType.INT))

    read = read_tensors(signature, [tensor("input-0", "FP64", 1.5, 2, 3.5, 4, shape=(2, 2))])

    assert read.batch.columns["x"].tolist() == [1.5, 3.5]
    assert read.batch.columns["y"].tolist() == [2, 4]
    assert read.batch.columns["y"].dtype == np.int64


def test_inputs_that_may_be_missing_may_be_left_out() -> None:
    read = read_tensors(PASSENGERS, [part for part in passengers() if part.name not in ("age", "cabin", "boarded")])

    assert np.isnan(read.batch.columns["age"][0])
    assert read.batch.columns["cabin"].tolist() == [None]


@pytest.mark.parametrize(
    ("tensors", "code"),
    [
        ([tensor("x", "FP64", 1.0)], "required"),
        ([tensor("x", "FP64", 1.0), tensor("z", "FP64", 1.0)], "unknown_field"),
        ([tensor("x", "FP64", 1.0), tensor("x", "FP64", 1.0)], "duplicate_field"),
        ([tensor("x", "FP64", 1.0), tensor("y", "FP64", 1.0, 2.0)], "wrong_length"),
        ([tensor("x", "FP64", 1.0, 2.0, shape=(1, 2)), tensor("y", "FP64", 1.0)], "invalid_shape"),
        ([tensor("m", "FP64", 1.0, 2.0, 3.0, shape=(1, 3))], "invalid_shape"),
        ([tensor("m", "FP64", 1.0, 2.0)], "invalid_shape"),
        ([tensor("m", "FP64", shape=(0, 2))], "empty"),
        ([tensor("m", "FP64", *[1.0] * 200_002, shape=(100_001, 2))], "too_many_rows"),
    ],
)
def test_tensors_that_are_not_the_inputs_are_refused(tensors: list[Tensor], code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_tensors(taking(FLOAT, Input(name="y", dtype=DType.FLOAT)), tensors)

    assert refusal.value.problems[0].code == code


def test_with_the_type_of_a_data_frame_no_tensor_is_a_matrix() -> None:
    with pytest.raises(InvalidInput, match="not known"):
        read_tensors(taking(FLOAT), [tensor("other", "FP64", 1.0)], content_type="pd")


# --- which datatype fits which input ---


@pytest.mark.parametrize("datatype", ["FP16", "BF16", "FP32", "FP64", "INT8", "INT64", "UINT8", "UINT64"])
def test_a_number_may_come_in_any_numeric_datatype(datatype: str) -> None:
    assert column(FLOAT, datatype, 3) == [3.0]
    assert column(Input(name="n", dtype=DType.INT), datatype, 3) == [3]


@pytest.mark.parametrize(
    ("source", "datatype", "value", "code"),
    [
        (FLOAT, "BOOL", True, "wrong_datatype"),
        (FLOAT, "BYTES", "1.5", "wrong_datatype"),
        (Input(name="n", dtype=DType.INT), "FP64", 1.5, "not_an_integer"),
        (Input(name="n", dtype=DType.INT), "INT64", 2**53 + 1, "too_large"),
        (FLOAT, "UINT64", 2**64 - 1, "too_large"),
        (FLOAT, "FP64", float("inf"), "not_finite"),
        (FLOAT, "FP64", None, "null"),
        (Input(name="b", dtype=DType.BOOL), "UINT8", 1, "wrong_datatype"),
        (Input(name="b", dtype=DType.BOOL), "BYTES", "true", "wrong_datatype"),
        (Input(name="s", dtype=DType.STRING), "INT64", 1, "wrong_datatype"),
        (Input(name="s", dtype=DType.STRING), "BYTES", "a\0", "invalid_text"),
        (Input(name="c", dtype=DType.CATEGORY, categories=("u", "v")), "BYTES", "w", "not_a_choice"),
        (Input(name="c", dtype=DType.CATEGORY, categories=(1, 2)), "BYTES", "1", "wrong_datatype"),
        (Input(name="c", dtype=DType.CATEGORY, categories=(1, 2)), "INT64", 3, "not_a_choice"),
        (Input(name="d", dtype=DType.DATETIME), "BYTES", "yesterday", "not_a_datetime"),
        (Input(name="d", dtype=DType.DATETIME), "INT64", 0, "wrong_datatype"),
        (Input(name="x", dtype=DType.FLOAT, limits=(0, 1)), "FP64", 1.5, "max_value"),
    ],
)
def test_nothing_is_coerced(source: Input, datatype: str, value: Any, code: str) -> None:
    assert refused(source, datatype, value) == code


def test_a_missing_value_is_null_or_nan_where_it_may_be_missing() -> None:
    source = Input(name="x", dtype=DType.FLOAT, nullable=True)
    nan = unpacked(memoryview(np.array([1.5, np.nan]).tobytes()), DATATYPES["FP64"], "x")

    assert nan == [1.5, None]
    assert str(column(source, "FP64", 1.5, None)) == "[1.5, nan]"


def test_dates_come_as_texts() -> None:
    source = Input(name="d", dtype=DType.DATETIME)

    assert (
        str(column(source, "BYTES", "2024-02-29T12:30:00+01:00", content_type="datetime")[0]) == "2024-02-29 11:30:00"
    )


# --- narrow floats ---


@pytest.mark.parametrize("datatype", ["FP32", "FP16", "BF16"])
def test_the_nearest_narrow_float_of_a_bound_or_category_is_that_bound_or_category(datatype: str) -> None:
    narrow = DATATYPES[datatype].narrowed

    assert column(Input(name="x", dtype=DType.FLOAT, limits=(None, 5.3)), datatype, narrow(5.3)) == [5.3]
    assert column(Input(name="x", dtype=DType.CATEGORY, categories=(0.1, 0.7)), datatype, narrow(0.7), narrow(0.1)) == [
        0.7,
        0.1,
    ]


def test_other_narrow_floats_keep_the_value_that_they_have() -> None:
    source = Input(name="x", dtype=DType.FLOAT, range=(0.0, 7.9))

    assert column(source, "FP32", 5.099999904632568) == [5.099999904632568]


def test_a_narrow_float_of_the_range_is_no_warning() -> None:
    source = Input(name="x", dtype=DType.FLOAT, range=(0.0, 5.3))
    above = DATATYPES["FP32"].narrowed(5.3)
    assert above > 5.3

    assert read_tensors(taking(source), [tensor("x", "FP32", above)]).warnings == ()
    assert read_tensors(taking(source), [tensor("x", "FP64", above)]).warnings != ()


def test_bfloat16_rounds_to_the_nearest_even() -> None:
    numbers = np.array([1.0, 1.00390625, 1.01171875, 3.1415927, -0.1], np.float32)

    assert widened_bfloat16(narrowed_bfloat16(numbers)).tolist() == [1.0, 1.0, 1.015625, 3.140625, -0.10009765625]


# --- shapes ---


@pytest.mark.parametrize(
    ("data", "shape", "expected"),
    [
        ([1, 2, 3, 4], (2, 2), [1, 2, 3, 4]),
        ([[1, 2], [3, 4]], (2, 2), [1, 2, 3, 4]),
        ([[[1], [2]], [[3], [4]]], (2, 2, 1), [1, 2, 3, 4]),
        ([[1, 2], [3, 4]], (-1, 2), [1, 2, 3, 4]),
        ([], (0, 2), []),
    ],
)
def test_data_may_be_flat_or_nested(data: list[Any], shape: tuple[int, ...], expected: list[int]) -> None:
    assert flattened(data, shape, "x") == expected


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([[1, 2], [3]], (2, 2)),
        ([[1, 2]], (2, 2)),
        ([[1], [2]], (2, 2)),
        ([[1, 2], 3], (2, 2)),
        ({"0": 1}, (1,)),
        (None, (1,)),
        ("12", (2,)),
    ],
)
def test_data_of_another_form_than_its_shape_is_refused(data: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput):
        flattened(data, shape, "x")


@pytest.mark.parametrize("shape", [[10**12, 4], [2**62, 2**62], [3], [2, 2], [0], [10**300]])
def test_a_shape_that_does_not_count_its_data_is_refused_before_anything_is_made_of_it(shape: list[int]) -> None:
    with pytest.raises(InvalidInput, match="as the shape"):
        resolved(read_shape(shape, "x"), 12, "x")


@pytest.mark.parametrize("shape", [None, [], "2", [1.0], [True], [-2], [1, -1], ["1"], [1] * 9, {"0": 1}])
def test_what_is_no_shape_is_refused(shape: Any) -> None:
    with pytest.raises(InvalidInput):
        read_shape(shape, "x")


def test_an_open_first_dimension_is_counted() -> None:
    assert resolved((-1, 3), 12, "x") == (4, 3)
    with pytest.raises(InvalidInput, match="does not divide"):
        resolved((-1, 5), 12, "x")
    with pytest.raises(InvalidInput, match="does not divide"):
        resolved((-1, 0), 12, "x")


# --- elements ---


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("BOOL", 1), ("BOOL", "true"), ("INT8", 128), ("INT8", -129), ("INT8", 1.5), ("INT8", True), ("INT8", "1"), ("UINT8", -1), ("UINT64", 2**64),
        ("INT64", 2**63), ("INT64", 1e30), ("FP32", 1e39), ("FP32", "1"), ("FP32", True), ("FP64", float("inf")), ("FP64", [1]), ("FP16", 1.0), ("BF16", 1.0),
        ("BYTES", 1), ("BYTES", True), ("BYTES", {}),
    ],
)  # fmt: skip
def test_an_element_that_is_none_of_its_datatype_is_refused(datatype: str, value: Any) -> None:
    with pytest.raises(InvalidInput):
        check_elements([value], DATATYPES[datatype], "x")


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("BOOL", True),
        ("INT8", -128),
        ("INT8", 3.0),
        ("UINT64", 2**64 - 1),
        ("FP32", 5.3),
        ("FP32", 7),
        ("FP64", 1e308),
        ("BYTES", ""),
        ("FP64", None),
    ],
)
def test_an_element_of_its_datatype_is_taken(datatype: str, value: Any) -> None:
    check_elements([value], DATATYPES[datatype], "x")


# --- binary tensors ---


@pytest.mark.parametrize("datatype", [name for name in DATATYPES if name not in ("BYTES", "BF16", "BOOL")])
def test_binary_numbers_come_back_as_they_were(datatype: str) -> None:
    dtype = DATATYPES[datatype].dtype
    numbers = np.array([0, 1, 100], dtype=dtype)

    data = packed(numbers, DATATYPES[datatype])

    assert len(data) == 3 * numbers.itemsize
    assert unpacked(memoryview(data), DATATYPES[datatype], "x") == [0, 1, 100]


def test_binary_numbers_are_little_endian() -> None:
    assert unpacked(memoryview(b"\x01\x00\x00\x00\x00\x01\x00\x00"), DATATYPES["INT32"], "x") == [1, 256]
    assert packed(np.array([1], dtype=">i8"), DATATYPES["INT64"]) == b"\x01" + b"\0" * 7


def test_binary_half_floats_are_read() -> None:
    assert unpacked(memoryview(np.array([1.5], "<f2").tobytes()), DATATYPES["FP16"], "x") == [1.5]
    assert unpacked(memoryview(b"\xc0\x3f"), DATATYPES["BF16"], "x") == [1.5]


def test_binary_texts_have_their_lengths_before_them() -> None:
    texts = ["", "a", "größer", "x" * 300]

    assert unpacked(memoryview(packed_texts(texts)), BYTES, "x") == texts
    assert packed_texts(["ab"]) == b"\x02\0\0\0ab"


@pytest.mark.parametrize(
    "data", [b"\x01", b"\x05\0\0\0ab", b"\xff\xff\xff\xffab", b"\x01\0\0\0\xff", b"\x01\0\0\0a\x01"]
)
def test_binary_texts_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        unpacked(memoryview(data), BYTES, "x")


def test_binary_booleans_are_zero_or_one() -> None:
    assert unpacked(memoryview(b"\0\1"), DATATYPES["BOOL"], "x") == [False, True]
    with pytest.raises(InvalidInput, match="byte 2"):
        unpacked(memoryview(b"\0\2"), DATATYPES["BOOL"], "x")


def test_half_an_element_is_refused() -> None:
    with pytest.raises(InvalidInput, match="multiple of 8"):
        unpacked(memoryview(b"\0" * 12), DATATYPES["FP64"], "x")


def test_a_single_column_may_have_any_name() -> None:
    signature: Signature = taking(FLOAT)

    for shape in ((2,), (2, 1)):
        read = read_tensors(signature, [tensor("input-0", "FP64", 1.0, 2.0, shape=shape)])
        assert read.batch.columns["x"].tolist() == [1.0, 2.0]
