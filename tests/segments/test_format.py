"""A torn tail is recognised, wherever the tear is, and never read as a record."""

import os
from pathlib import Path

import pytest

from foretell.segments.format import MAGIC, MAX_PAYLOAD, Tail, framed, frames_of
from foretell.segments.reading import START, read_frames
from foretell.segments.records import (
    COLUMNS,
    MAX_PAYLOAD_BYTES,
    TOO_LARGE,
    GapRecord,
    UndecodableRecord,
    decode,
    encode,
    encode_plain,
)
from tests.logged import prediction_record

FIRST, SECOND = b"first record", b"second"


def payloads(data: bytes) -> list[bytes]:
    return frames_of(data, 0).payloads


def test_frames_are_read_back_with_the_offsets_where_they_begin() -> None:
    data = framed(FIRST) + framed(SECOND)

    frames = frames_of(data, 1_000)

    assert frames.payloads == [FIRST, SECOND]
    assert frames.starts == [1_000, 1_000 + len(framed(FIRST))]
    assert (frames.end, frames.tail) == (1_000 + len(data), Tail.NOTHING)


def test_a_frame_that_was_cut_at_any_byte_is_not_read_and_what_is_before_it_is() -> None:
    whole = framed(FIRST)
    for length in range(1, len(framed(SECOND))):
        frames = frames_of(whole + framed(SECOND)[:length], 0)

        assert frames.payloads == [FIRST], length
        assert (frames.end, frames.tail) == (len(whole), Tail.CUT), length


def test_a_changed_bit_anywhere_in_a_frame_is_noticed() -> None:
    frame = framed(SECOND)
    for position in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[position // 8] ^= 1 << position % 8

        assert payloads(framed(FIRST) + bytes(damaged)) == [FIRST], position


@pytest.mark.parametrize(
    "tail", [bytes(8), bytes(4_096), b"\xff" * 64, (MAX_PAYLOAD + 1).to_bytes(4, "little") + bytes(4)]
)
def test_what_no_writer_wrote_is_told_from_what_was_cut(tail: bytes) -> None:
    frames = frames_of(framed(FIRST) + tail, 0)

    assert (len(frames.payloads), frames.tail) == (1, Tail.DAMAGED)


@pytest.mark.parametrize("part_bytes", [1, 20, 108, 250, 10_000])
def test_a_segment_is_read_on_from_any_record_and_in_parts_of_any_size(tmp_path: Path, part_bytes: int) -> None:
    frames = [framed(bytes([number]) * 100) for number in range(20)]
    (tmp_path / "s").write_bytes(MAGIC + b"".join(frames))
    descriptor = os.open(tmp_path / "s", os.O_RDONLY)

    found, offset = [], 0
    while (part := read_frames(descriptor, offset, part_bytes=part_bytes)).has_more:
        assert part.tail is Tail.NOTHING  # more follows, although the part ends within a frame
        found += [payload[0] for payload in part.payloads]
        offset = part.end
    os.close(descriptor)

    assert found + [payload[0] for payload in part.payloads] == list(range(20))


@pytest.mark.parametrize(("head", "tail"), [(b"", Tail.CUT), (MAGIC[:3], Tail.CUT), (b"SOMETHING", Tail.DAMAGED)])
def test_a_file_that_is_no_segment_has_no_records(tmp_path: Path, head: bytes, tail: Tail) -> None:
    (tmp_path / "s").write_bytes(head)
    descriptor = os.open(tmp_path / "s", os.O_RDONLY)

    frames = read_frames(descriptor)
    os.close(descriptor)

    assert (frames.payloads, frames.tail) == ([], tail)


def test_an_offset_beyond_the_end_is_the_end(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(MAGIC)
    descriptor = os.open(tmp_path / "s", os.O_RDONLY)

    assert read_frames(descriptor, START + 1_000).payloads == []
    os.close(descriptor)


def test_records_are_read_back_as_they_were() -> None:
    record, gap = prediction_record(key_id="k", inputs=None), GapRecord(b"0" * 16, "t", 1, 2, 3)

    assert decode(encode(record)) == record
    assert decode(encode_plain(gap)) == gap


def test_what_is_no_record_is_refused() -> None:
    for payload in (b"", b"x", b"\x93\x01\x02\x03", encode(prediction_record())[:-1]):
        with pytest.raises(UndecodableRecord):
            decode(payload)


def test_payloads_beyond_a_megabyte_are_left_out_and_said_to_be() -> None:
    large = b"x" * (MAX_PAYLOAD_BYTES + 1)

    kept = decode(encode(prediction_record(inputs=large, inputs_type=COLUMNS)))
    assert (kept.inputs, kept.inputs_type) == (None, TOO_LARGE)  # type: ignore[union-attr]
    assert kept.outputs is not None  # type: ignore[union-attr]

    kept = decode(encode(prediction_record(outputs=large)))
    assert (kept.inputs_type, kept.outputs) == ("application/json", None)  # type: ignore[union-attr]
