"""The fast reader may only ever answer what the strict one does, to the bit."""

import gc
import json
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foretell.inference.codec.fast_rows import MAX_FIELDS, fast_rows
from foretell.inference.codec.json_rows import parse_json, parse_json_strictly
from foretell.inference.errors import InvalidInput
from foretell.inference.signature import DType, Input, Signature
from tests.inference.signatures import PASSENGER, PASSENGERS, an_input, taking

FLOWER = taking(
    Input(name="sepal length", dtype=DType.FLOAT, range=(4.3, 7.9)),
    Input(name="petal:width", dtype=DType.FLOAT, limits=(0.0, None), range=(0.1, 2.5)),
)
COUNTS = taking(
    Input(name="n", dtype=DType.INT, range=(0.0, 10.0), limits=(-5, 1_000)),
    Input(name="m", dtype=DType.INT, nullable=True),
    Input(name="x", dtype=DType.FLOAT, nullable=True),
)
UNBOUND = taking(Input(name="x", dtype=DType.FLOAT))
CALLED_INSTANCES = taking(Input(name="instances", dtype=DType.FLOAT, nullable=True))
WORDS = taking(
    Input(name="é:a", dtype=DType.STRING),
    Input(name="b", dtype=DType.CATEGORY, categories=("x", "y:z"), closed=False),
    Input(name="c", dtype=DType.CATEGORY, categories=(1.5, 2.5), nullable=True),
    Input(name="instances", dtype=DType.DATETIME, nullable=True),
)
QUOTED = taking(Input(name='a "quoted" name', dtype=DType.FLOAT))
SIGNATURES = [FLOWER, COUNTS, UNBOUND, CALLED_INSTANCES, WORDS, QUOTED, PASSENGERS]

NUMBERS = [
    "0", "-0", "-0.0", "1", "2", "2.0", "1.5", "2.5", "5", "7.9", "7.900000000000001", "-3", "1e0", "1E2", "0.1e-400", "5e-324", "1e16", "1.7e308",
    "1e400", "-1e400", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993", "9007199254740992.0",
    "18446744073709551616", "1" * 500, "01", "+1", ".5", "1.", "NaN", "-Infinity", "0x10",
]  # fmt: skip
TEXTS = [
    '"x"', '"y:z"', '"female"', '"male"', '"S"', '""', '"a:b"', r'"\u003a"', r'"\u0078"', r'"\u0000"', r'"\ud800"', r'"\ud83d\ude00"', '"é"', '"1"',
    '"1912-04-10"', '"1912-04-10T12:00:00Z"', '"0001-01-01T00:00:00+14:00"', '"2024-02-30"', '"unterminated', '"tab\there"',
]  # fmt: skip
OTHERS = ["null", "true", "false", "{}", "[]", "[1]", '{"a": 1}', "", "nul"]
SPACES = st.sampled_from(["", "", "", " ", "\n\t", " \r\n "])


def outcome(read: Callable[..., Any], signature: Signature, body: bytes, **options: Any) -> Any:
    """Return all that a reading has: the columns to the bit with their types, and each warning; or each fault."""
    try:
        rows = read(signature, body, **options)
    except InvalidInput as refusal:
        return refusal.problems
    columns = {
        name: (column.dtype, column.tolist() if column.dtype == object else column.tobytes())
        for name, column in rows.batch.columns.items()
    }
    return rows.is_single, rows.warnings, rows.table, rows.batch.n_rows, columns


def assert_same(signature: Signature, body: bytes, **options: Any) -> None:
    fast, strict = (outcome(read, signature, body, **options) for read in (parse_json, parse_json_strictly))

    assert fast == strict, body


def usual(source: Input) -> st.SearchStrategy[str]:
    """Return values that mostly fit, as they are written in JSON."""
    found: list[st.SearchStrategy[Any]] = []
    if source.dtype is DType.CATEGORY:
        found = [st.sampled_from(source.categories)]
    elif source.dtype is DType.BOOL:
        found = [st.booleans()]
    elif source.dtype is DType.STRING:
        found = [st.text(max_size=5)]
    elif source.dtype is DType.DATETIME:
        found = [st.datetimes().map(lambda moment: moment.isoformat() + "Z")]
    else:
        low, high = source.range or (0.0, 9.0)
        found = [st.integers(-1, 12), st.floats(low, high)]
    if source.nullable:
        found.append(st.none())
    return st.one_of(found).flatmap(
        lambda value: st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False)])
    )


def values(source: Input, is_wild: bool) -> st.SearchStrategy[str]:
    if not is_wild:
        return usual(source)
    return st.one_of(
        usual(source), usual(source), st.sampled_from(NUMBERS), st.sampled_from(TEXTS), st.sampled_from(OTHERS)
    )


def escaped(key: str) -> str:
    return json.dumps(key[0])[:-1].replace(key[0], f"\\u{ord(key[0]):04x}", 1) + json.dumps(key[1:])[1:]


@st.composite
def a_row(draw: st.DrawFn, signature: Signature, *, is_wild: bool) -> str:
    if draw(st.booleans()):
        return "[" + ",".join(draw(SPACES) + draw(values(source, is_wild)) for source in signature.inputs) + "]"
    sources = list(signature.inputs)
    if is_wild:
        sources = draw(st.lists(st.sampled_from(sources), max_size=len(sources) + 1)) or sources
    pairs = []
    for source in draw(st.permutations(sources)):
        key = draw(
            st.sampled_from(
                [json.dumps(source.name)] * 4 + [json.dumps(source.name, ensure_ascii=False), escaped(source.name)]
            )
        )
        pairs.append(f"{draw(SPACES)}{key}{draw(SPACES)}:{draw(SPACES)}{draw(values(source, is_wild))}")
    if is_wild and draw(st.integers(0, 9)) == 0:
        pairs.append('"unknown": 1')
    return "{" + ",".join(pairs) + draw(SPACES) + "}"


@st.composite
def a_body(draw: st.DrawFn, signature: Signature) -> bytes:
    is_wild = draw(st.booleans())
    rows = draw(st.lists(a_row(signature, is_wild=is_wild), min_size=1, max_size=4))
    kinds = {row[0] for row in rows}
    if kinds != {"["} and (len(rows) == 1 or draw(st.integers(0, 3)) == 0):
        text = next(row for row in rows if row[0] == "{")
    else:
        if not draw(st.integers(0, 3)):
            rows = [row for row in rows if row[0] == rows[0][0]]
        text = f'{{{draw(SPACES)}"instances"{draw(SPACES)}:[{",".join(rows)}]'
        text += draw(st.sampled_from(["}"] * 8 + [',"instances":[]}', f',"instances":[{rows[0]}]}}', ', "x": 1}', ""]))
    text = draw(SPACES) + text + draw(SPACES) + draw(st.sampled_from([""] * 12 + ["x", "{}", "\x00", "\ufeff"]))
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.inputs[0].name)
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_both_readers_say_the_same_of_any_body(signature: Signature, data: st.DataObject) -> None:
    assert_same(signature, data.draw(a_body(signature)))


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_both_readers_say_the_same_for_any_signature(data: st.DataObject) -> None:
    inputs = data.draw(st.lists(an_input(), min_size=1, max_size=5, unique_by=lambda source: source.name))
    signature = taking(*inputs)

    assert_same(signature, data.draw(a_body(signature)))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 100_000)
@example(b'{"instances": [' + b"[" * 100_000)
@example(b'{"instances": []}')
@example(b'{"instances": [{}]}')
@example(b'{"instances": {"sepal length": 5}}')
@example(b'{"sepal length": 5, "petal:width": 1, "petal:width": 1}')
@example(rb'{"sepal length": 5, "petal\u003awidth": 1, "petal\u003awidth": 1}')
@example(b'{"sepal length": 5, "sepal length": 5}')
@example(b'{"sepal length": "\xff", "petal:width": 1}')
def test_both_readers_say_the_same_of_any_bytes(body: bytes) -> None:
    for signature in SIGNATURES:
        assert_same(signature, body)


@pytest.mark.parametrize("value", [*NUMBERS, *TEXTS, *OTHERS])
@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.inputs[0].name)
def test_both_readers_say_the_same_of_any_value_in_any_place(signature: Signature, value: str) -> None:
    good = {"0": "1", "1": "2", "2": "3", "3": "4"}
    for wild, source in enumerate(signature.inputs):
        cells = [value if place == wild else good.get(str(place), "5") for place in range(len(signature.inputs))]
        if signature is PASSENGERS:
            cells = [value if place == wild else json.dumps(known) for place, known in enumerate(PASSENGER.values())]
        row = (
            "{"
            + ",".join(f"{json.dumps(s.name)}:{cell}" for s, cell in zip(signature.inputs, cells, strict=True))
            + "}"
        )
        listed = f"[{','.join(cells)}]"
        assert source is signature.inputs[wild]
        for text in (
            row,
            f'{{"instances":[{row},{row}]}}',
            f'{{"instances":[{listed}]}}',
            f'{{"instances":[{row},{listed}]}}',
        ):
            assert_same(signature, text.encode("utf-8", "surrogatepass"))


def test_both_readers_say_the_same_of_many_rows_and_of_too_many() -> None:
    row = {"sepal length": 5.0, "petal:width": 1}
    rows = [{**row, "petal:width": number / 100} for number in range(300)]
    for many in (rows, [list(row.values()) for row in rows], rows[:2], rows[:3]):
        body = json.dumps({"instances": many}).encode()
        assert_same(FLOWER, body)
        assert_same(FLOWER, body, max_rows=2)


USUAL: list[tuple[Signature, Any]] = [
    (FLOWER, {"sepal length": 5.1, "petal:width": 1}),
    (FLOWER, {"instances": [{"sepal length": 5.1, "petal:width": 1}, {"petal:width": 9.5, "sepal length": 5}]}),
    (FLOWER, {"instances": [[5.1, 1], [5, 1.25]]}),
    (COUNTS, {"n": 3, "m": 2.0}),
    (COUNTS, {"instances": [{"n": 3, "x": 2.5}, {"n": 3.0, "m": None, "x": None}]}),
    (PASSENGERS, PASSENGER),
    (PASSENGERS, {key: value for key, value in PASSENGER.items() if key != "age"}),
    (PASSENGERS, {"instances": [PASSENGER, {**PASSENGER, "cabin": "C:5", "embarked": "Z"}]}),
    (PASSENGERS, {"instances": [list(PASSENGER.values())]}),
    (CALLED_INSTANCES, {"instances": 5}),
    (CALLED_INSTANCES, {"instances": [{"instances": 5}, {}]}),
]


@pytest.mark.parametrize(("signature", "value"), USUAL)
def test_what_is_usual_is_read_fast(signature: Signature, value: Any) -> None:
    assert fast_rows(signature).read(json.dumps(value).encode(), 1_000) is not None


def test_a_key_that_came_twice_is_never_read_fast() -> None:
    """The control of the count of colons: without it msgspec would keep the last of them."""
    for body in (
        b'{"x": 1, "x": 2}',
        b'{"instances": [{"x": 1, "x": 2}]}',
        b'{"instances": [[1]], "instances": [[2]]}',
    ):
        assert fast_rows(UNBOUND).read(body, 1_000) is None
    assert fast_rows(COUNTS).read(b'{"n": 1, "n": 1}', 1_000) is None  # as many keys as inputs, one of them missing


def test_rows_beyond_the_most_are_counted_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    reader: Any = fast_rows(taking(Input(name="x", dtype=DType.FLOAT, nullable=True)))
    monkeypatch.setattr(reader, "_decode_objects", lambda body: pytest.fail("rows were made"))

    assert reader.read(b'{"instances": [' + b",".join([b"{}"] * 50) + b"]}", 10) is None


def test_a_signature_too_wide_for_a_struct_is_left_to_the_strict_reader() -> None:
    wide = taking(*(Input(name=f"x{number}", dtype=DType.FLOAT) for number in range(MAX_FIELDS + 1)))

    assert_same(wide, json.dumps({source.name: 1 for source in wide.inputs}).encode())


def test_a_matrix_and_its_columns_are_the_same_values() -> None:
    batch = parse_json(COUNTS, b'{"instances": [{"n": 3, "m": 2, "x": 0.5}, {"n": 4, "m": null}]}').batch

    assert batch.matrix is not None
    for position, column in enumerate(batch.columns.values()):
        np.testing.assert_array_equal(batch.matrix[:, position], column)
    assert batch.columns["n"].dtype == np.int64
    assert list(batch.take(np.array([1])).columns["n"]) == [4]


def test_what_is_derived_goes_with_its_signature() -> None:
    signature = taking(Input(name="x", dtype=DType.FLOAT))
    reader = weakref.ref(fast_rows(signature))
    assert reader() is fast_rows(signature)

    del signature
    gc.collect()

    assert reader() is None
