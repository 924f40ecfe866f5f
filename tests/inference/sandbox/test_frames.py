import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.inference.sandbox import frames
from foretell.inference.sandbox.counting import holds_at_most
from foretell.inference.sandbox.frames import BrokenFrame, Disconnected

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def count(value: object) -> int:
    if isinstance(value, list):
        return 1 + sum(map(count, value))
    if isinstance(value, dict):
        return 1 + sum(1 + count(inner) for inner in value.values())
    return 1


@given(st.dictionaries(st.text(), VALUES))
def test_any_message_returns_as_it_was_sent(message: dict[str, object]) -> None:
    assert frames.receive(io.BytesIO(frames.encode(message)).readinto, max_bytes=1 << 20) == message


@given(VALUES)
def test_the_values_of_any_message_are_counted_exactly(value: object) -> None:
    body = msgspec.msgpack.encode(value)
    assert holds_at_most(body, count(value))
    assert not holds_at_most(body, count(value) - 1)


@given(st.binary())
def test_any_bytes_are_a_message_or_a_broken_one(body: bytes) -> None:
    holds_at_most(body, 1000)
    try:
        message = frames.decode(body)
    except BrokenFrame:
        return
    assert isinstance(message, dict)


@pytest.mark.parametrize("size", [0, 1, 70_000])
@pytest.mark.parametrize("kind", [bytes, str, list, dict])
def test_every_width_of_length_is_counted(kind: type, size: int) -> None:
    value = {"bytes": b"x" * size, "str": "x" * size, "list": [1] * size, "dict": {str(i): 1 for i in range(size)}}[
        kind.__name__
    ]
    body = msgspec.msgpack.encode(value)
    assert holds_at_most(body, count(value))
    assert not holds_at_most(body, count(value) - 1)


def test_an_unfinished_message_is_a_disconnection() -> None:
    with pytest.raises(Disconnected):
        frames.receive(io.BytesIO(frames.encode({"a": 1})[:-1]).readinto, max_bytes=100)


def test_a_long_message_is_refused_before_it_is_read() -> None:
    stream = io.BytesIO((1 << 40).to_bytes(8) + b"x" * 100)
    with pytest.raises(BrokenFrame, match="at most 100"):
        frames.receive(stream.readinto, max_bytes=100)
    assert stream.tell() == 8
