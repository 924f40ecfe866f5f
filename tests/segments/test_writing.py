"""A record is on disk when append returns, whatever dies afterwards; a disk that is full is answered by policy."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from foretell.problems import retry_after_s, status_of
from foretell.segments.errors import LogUnavailable
from foretell.segments.files import is_abandoned, segment_paths, sweep_unnamed
from foretell.segments.writing import SegmentWriter
from tests.logged import prediction_record
from tests.segments.full_disk import full_disk
from tests.segments.reading_back import gaps, prediction_ids

OpenWriter = Callable[..., SegmentWriter]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def open_writer(tmp_path: Path) -> Iterator[OpenWriter]:
    """Writers that are closed at the end, on one directory, with no reserve unless asked for."""
    writers: list[SegmentWriter] = []

    def open_one(**options: Any) -> SegmentWriter:
        writers.append(SegmentWriter(tmp_path, **{"reserve_bytes": 0, "sync_every_s": 0.01, **options}))
        return writers[-1]

    yield open_one
    for writer in writers:
        writer.close()


def within(seconds: float, condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_record_is_in_the_file_when_append_returns(open_writer: OpenWriter, tmp_path: Path) -> None:
    writer, record = open_writer(), prediction_record()

    writer.append(record)

    assert prediction_ids(tmp_path) == [record.id]


def test_an_append_is_one_write(open_writer: OpenWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(sync_every_s=60.0)
    writer.append(prediction_record())
    writes: list[int] = []
    write = os.write

    def counted(descriptor: int, data: bytes) -> int:
        writes.append(len(data))
        return write(descriptor, data)

    monkeypatch.setattr("foretell.segments.writing.os.write", counted)
    writer.append(prediction_record())

    assert len(writes) == 1


def test_many_threads_lose_and_mix_nothing(open_writer: OpenWriter, tmp_path: Path) -> None:
    writer, written = open_writer(segment_bytes=20_000), []

    def write_some() -> None:
        for _ in range(300):
            record = prediction_record()
            writer.append(record)
            written.append(record.id)

    threads = [threading.Thread(target=write_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(prediction_ids(tmp_path)) == sorted(written)
    assert len(set(written)) == 1_200


def test_each_process_has_a_segment_of_its_own_and_a_child_none_of_its_parents(
    open_writer: OpenWriter, tmp_path: Path
) -> None:
    writer, record, of_child = open_writer(), prediction_record(), prediction_record()
    writer.append(record)
    (own,) = segment_paths(tmp_path)

    child = os.fork()
    if child == 0:
        writer.append(of_child)
        os._exit(0)
    os.waitpid(child, 0)

    assert sorted(prediction_ids(tmp_path)) == sorted([record.id, of_child.id])
    assert len(segment_paths(tmp_path)) == 2
    assert own.read_bytes().count(of_child.id) == 0


def test_a_segment_is_ended_by_size_and_by_age_but_not_while_it_is_empty(
    open_writer: OpenWriter, tmp_path: Path
) -> None:
    by_size = open_writer(segment_bytes=1)
    by_size.append(prediction_record())
    assert within(5, lambda: len(segment_paths(tmp_path)) == 2)
    by_age = open_writer(rotate_after_s=0.05)
    by_age.append(prediction_record())
    assert within(5, lambda: len(segment_paths(tmp_path)) == 4)

    time.sleep(0.2)

    assert len(segment_paths(tmp_path)) == 4
    assert len(prediction_ids(tmp_path)) == 2


def test_a_segments_lock_tells_whether_its_writer_is_there(open_writer: OpenWriter, tmp_path: Path) -> None:
    writer = open_writer()
    writer.append(prediction_record())
    descriptor = os.open(segment_paths(tmp_path)[0], os.O_RDONLY)
    assert not is_abandoned(descriptor)

    writer.close()

    assert is_abandoned(descriptor)
    os.close(descriptor)


def test_after_close_nothing_is_taken(open_writer: OpenWriter) -> None:
    writer = open_writer()
    writer.close()

    with pytest.raises(LogUnavailable):
        writer.append(prediction_record())


def test_a_segment_that_never_got_its_name_is_swept_and_a_living_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "left.new").write_bytes(b"FT")
    (tmp_path / "just-made.new").touch()

    sweep_unnamed(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["just-made.new"]


# --- durability ---


def test_the_disk_is_asked_to_sync_in_the_background_or_before_append_returns(
    open_writer: OpenWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr("foretell.segments.files.sync_data", lambda _: synced.append(threading.current_thread().name))

    open_writer(durability="sync", sync_every_s=60.0).append(prediction_record())
    assert synced == [threading.current_thread().name]

    open_writer().append(prediction_record())
    assert within(5, lambda: "prediction log" in synced)


WRITER = """
import sys
from pathlib import Path
from foretell.segments.writing import SegmentWriter
from tests.logged import prediction_record
writer = SegmentWriter(Path(sys.argv[1]), reserve_bytes=0, segment_bytes=200_000)
while True:
    record = prediction_record(inputs=b"x" * int(sys.argv[2]))
    writer.append(record)
    print(record.id.hex(), flush=True)
"""


@pytest.mark.parametrize("size", [100, 60_000])
def test_kill_9_of_a_writer_loses_nothing_that_it_acknowledged(tmp_path: Path, size: int) -> None:
    acknowledged: list[bytes] = []
    for round_number in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(size)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdout is not None
        for _ in range(20 + 37 * round_number):
            acknowledged.append(bytes.fromhex(process.stdout.readline().strip().decode()))
        process.send_signal(signal.SIGKILL)
        acknowledged += [bytes.fromhex(line.decode()) for line in process.stdout.read().split() if len(line) == 32]
        process.wait()
        process.stdout.close()

    ids = prediction_ids(tmp_path)

    assert set(acknowledged) <= set(ids)
    assert len(ids) == len(set(ids)) <= len(acknowledged) + 4


# --- a full disk ---


FILLER = """
import resource, signal, sys
from pathlib import Path
from foretell.segments.errors import LogUnavailable
from foretell.segments.writing import SegmentWriter
from tests.logged import prediction_record
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
writer = SegmentWriter(Path(sys.argv[1]), reserve_bytes=0)
try:
    while True:
        record = prediction_record(inputs=b"x" * 777)
        writer.append(record)
        print(record.id.hex(), flush=True)
except LogUnavailable:
    writer.close()
"""


def test_where_the_kernel_cuts_a_write_short_exactly_what_was_acknowledged_is_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    acknowledged = [bytes.fromhex(line) for line in done.stdout.split()]
    (segment,) = segment_paths(tmp_path)
    assert len(acknowledged) > 10
    assert segment.stat().st_size == 50_000  # the last frame is there in part
    assert prediction_ids(tmp_path) == acknowledged


def test_what_cannot_be_logged_is_refused_where_the_log_is_required_and_comes_back_by_itself(
    open_writer: OpenWriter, tmp_path: Path
) -> None:
    writer, before, after = open_writer(), prediction_record(), prediction_record()
    writer.append(before)

    with full_disk(tmp_path):
        with pytest.raises(LogUnavailable) as refused:
            writer.append(prediction_record())
        assert (status_of(refused.value), retry_after_s(refused.value)) == (503, 5)
        assert writer.trouble

    assert within(5, lambda: writer.trouble is None)
    writer.append(after)
    assert prediction_ids(tmp_path) == [before.id, after.id]


def test_a_write_that_was_cut_short_is_followed_by_nothing(open_writer: OpenWriter, tmp_path: Path) -> None:
    writer, before, after = open_writer(), prediction_record(), prediction_record()
    writer.append(before)
    (segment,) = segment_paths(tmp_path)

    with full_disk(tmp_path, after=segment.stat().st_size + 20), pytest.raises(LogUnavailable):
        writer.append(prediction_record())
    torn = segment.stat().st_size

    assert within(5, lambda: writer.trouble is None)
    writer.append(after)
    assert prediction_ids(tmp_path) == [before.id, after.id]
    assert segment.stat().st_size == torn


def test_with_best_effort_it_goes_on_and_the_gap_is_written_down_when_there_is_room(
    open_writer: OpenWriter, tmp_path: Path
) -> None:
    writer, acme, globex = open_writer(), prediction_record(tenant="acme"), prediction_record(tenant="globex")
    writer.append(acme)

    with full_disk(tmp_path):
        for _ in range(3):
            writer.append(acme, is_required=False)
        writer.append(globex, is_required=False)

    assert within(5, lambda: gaps(tmp_path) == {"acme": 3, "globex": 1})
    assert prediction_ids(tmp_path) == [acme.id]
    time.sleep(0.6)
    assert len(gaps(tmp_path)) == 2  # written once


def test_a_full_disk_lets_go_of_the_reserve_and_everybody_stops_until_there_is_room_for_it(
    open_writer: OpenWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = open_writer(reserve_bytes=1 << 20), open_writer(reserve_bytes=1 << 20)
    first.append(prediction_record())
    second.append(prediction_record())
    reserve = tmp_path / "reserve"
    assert reserve.stat().st_size == 1 << 20
    real, room = os.statvfs, {"blocks": 0}

    def statvfs(path: Any) -> Any:
        return os.statvfs_result((*real(path)[:4], room["blocks"], *real(path)[5:]))

    monkeypatch.setattr("foretell.segments.reserve.os.statvfs", statvfs)
    with full_disk(tmp_path), pytest.raises(LogUnavailable):
        first.append(prediction_record())

    assert not reserve.exists()
    assert within(5, lambda: second.trouble)  # the room that was let go of is not for records
    room["blocks"] = 1 << 30
    assert within(5, lambda: first.trouble is None and second.trouble is None)
    assert reserve.exists()


def test_a_directory_that_cannot_be_made_is_told_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    writer = SegmentWriter(tmp_path / "file" / "predictions")

    with pytest.raises(LogUnavailable):
        writer.append(prediction_record())
    writer.append(prediction_record(), is_required=False)

    assert writer.trouble == os.strerror(errno.ENOTDIR)
    writer.close()
