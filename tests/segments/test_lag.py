"""How far the drainer is behind can be told from the directory alone."""

import time
from pathlib import Path

from foretell.segments.files import segment_paths
from foretell.segments.lag import Progress, drain_lag, write_progress
from foretell.segments.writing import SegmentWriter
from tests.logged import prediction_record


def test_the_lag_is_what_is_not_drained_and_how_old_the_oldest_of_it_is(tmp_path: Path) -> None:
    minute_ago = time.time_ns() // 1_000 - 60_000_000
    writer = SegmentWriter(tmp_path, reserve_bytes=0)
    writer.append(prediction_record(at_us=minute_ago, inputs=b"x" * 10_000))
    writer.close()
    (segment,) = segment_paths(tmp_path)

    behind = drain_lag(tmp_path)
    write_progress(tmp_path, Progress({segment.stem: segment.stat().st_size}))
    drained = drain_lag(tmp_path)

    assert (behind.n_bytes > 10_000, 60 <= behind.age_s < 120) == (True, True)
    assert (drained.n_bytes, drained.age_s, drained.n_segments) == (0, 0.0, 1)


def test_without_a_directory_or_with_a_broken_note_there_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "drained.json").write_text("{")

    assert drain_lag(tmp_path / "none").n_bytes == 0
    assert drain_lag(tmp_path).n_bytes == 0
