"""Several processes, one answer: what was counted is never lost to a death, and never counted twice."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foretell.metrics import families
from foretell.metrics.process import ProcessMetrics
from foretell.metrics.process_files import TOTALS, ProcessFile, read_all
from foretell.metrics.snapshots import Series, Snapshot, merged

COUNTING = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from foretell.metrics import families
    from foretell.metrics.process import ProcessMetrics
    metrics = ProcessMetrics(Path(sys.argv[1]))
    metrics.add(families.CONNECTIONS, lambda: 7)
    for _ in range(int(sys.argv[2])):
        metrics.predictions.entry("acme", "sum", 1).observe("rest", 200, 0.001, 1, 0.0005)
    metrics.start()
    print("published", flush=True)
    sys.stdin.read()
    metrics.stop()
""")


@contextmanager
def counting(directory: Path, n_predictions: int) -> Iterator[subprocess.Popen[str]]:
    """Run another process that has counted so many predictions, and has published them."""
    process = subprocess.Popen(
        [sys.executable, "-c", COUNTING, str(directory), str(n_predictions)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "published\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def predictions(directory: Path) -> float:
    return sum(series.values[0] for series in read_all(directory).get(families.PREDICTIONS.name, {}).values())


def connections(directory: Path) -> float | None:
    found = read_all(directory).get(families.CONNECTIONS.name, {})
    return found[()].values[0] if found else None


def counted(count: float) -> Snapshot:
    series = Series(("acme", "sum", "1", "rest", "200"), [count], 1.0)
    return Snapshot(series=[(families.PREDICTIONS.name, series), (families.CONNECTIONS.name, Series((), [3.0]))])


def ended(directory: Path, snapshot: Snapshot) -> ProcessFile:
    """Be a process that published this, and is no more."""
    file = ProcessFile(directory)
    file.publish(snapshot)
    file.close()
    return file


def test_what_processes_counted_is_added_up(tmp_path: Path) -> None:
    with counting(tmp_path, 3), counting(tmp_path, 4):
        assert predictions(tmp_path) == 7
        assert connections(tmp_path) == 14


def test_who_is_killed_leaves_its_counts_and_takes_its_gauges(tmp_path: Path) -> None:
    with counting(tmp_path, 3) as killed, counting(tmp_path, 4):
        before = predictions(tmp_path)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(timeout=30)

        assert before == 7
        assert [predictions(tmp_path), predictions(tmp_path), predictions(tmp_path)] == [7, 7, 7]
        assert connections(tmp_path) == 7
    assert len(list(tmp_path.glob(f"{killed.pid}-*"))) == 0


def test_counters_do_not_go_back_over_restarts(tmp_path: Path) -> None:
    seen = [0.0]
    for _ in range(3):
        with counting(tmp_path, 2):
            seen.append(predictions(tmp_path))
        seen.append(predictions(tmp_path))

    assert seen == [0, 2, 2, 4, 4, 6, 6]


def test_a_pid_that_comes_again_is_another_process(tmp_path: Path) -> None:
    before = ended(tmp_path, counted(5))
    now = ProcessFile(tmp_path)
    now.publish(counted(1))

    assert before.name.partition("-")[0] == now.name.partition("-")[0] == str(os.getpid())
    assert (predictions(tmp_path), predictions(tmp_path), connections(tmp_path)) == (6, 6, 3)
    now.publish(counted(2))
    now.close()
    assert (predictions(tmp_path), predictions(tmp_path), connections(tmp_path)) == (7, 7, None)


def test_a_fold_that_was_cut_off_counts_nobody_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(tmp_path, counted(5))
    _cut_off_before_files_are_gone(tmp_path, monkeypatch)

    assert [predictions(tmp_path), predictions(tmp_path)] == [5, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == [TOTALS, "turn"]


def test_without_names_in_the_totals_a_cut_off_fold_would_count_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(tmp_path, counted(5))
    _cut_off_before_files_are_gone(tmp_path, monkeypatch)
    _rewrite(tmp_path / TOTALS, lambda totals: Snapshot(series=totals.series))

    assert predictions(tmp_path) == 10


def test_a_fork_does_not_keep_its_dead_parent_alive(tmp_path: Path) -> None:
    forking = COUNTING.replace(
        'print("published", flush=True)',
        "import os\nis_there, says = os.pipe()\npid = os.fork()\nif pid == 0:\n    os.write(says, b'1')\n    time.sleep(30)\n"
        "os.read(is_there, 1)\nprint(pid, flush=True)\nos.kill(os.getpid(), 9)",
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", forking, str(tmp_path), "2"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            assert parent.wait(timeout=30) == -signal.SIGKILL
            assert (predictions(tmp_path), connections(tmp_path)) == (2, None)
        finally:
            os.kill(child, signal.SIGKILL)


def test_what_another_release_wrote_is_left_out(tmp_path: Path) -> None:
    odd = Snapshot(series=[
        ("foretell_of_another_release_total", Series((), [1.0])),
        (families.SECONDS.name, Series(("acme", "sum", "1"), [1.0, 2.0])),
        (families.LOG_GAPS.name, Series((), [4.0])),
    ])  # fmt: skip
    file = ProcessFile(tmp_path)
    file.publish(odd)

    found = read_all(tmp_path)

    assert list(found) == [families.LOG_GAPS.name]
    file.close()


def test_a_file_that_cannot_be_read_takes_nothing_else_with_it(tmp_path: Path) -> None:
    file = ProcessFile(tmp_path)
    file.publish(counted(2))
    (tmp_path / "1-1.msgpack").write_bytes(b"\xc1 rubbish")

    assert (predictions(tmp_path), predictions(tmp_path)) == (2, 2)
    file.close()


def test_a_tenant_that_is_gone_is_in_no_file_and_what_was_counted_stays(tmp_path: Path) -> None:
    ended(tmp_path, counted(3)).close()
    read_all(tmp_path)  # folded
    ended(tmp_path, counted(4)).close()
    living = ProcessMetrics(tmp_path)
    living.predictions.entry("acme", "sum", 1).observe("rest", 200, 0.001)
    living.predictions.entry("globex", "sum", 1).observe("rest", 200, 0.001)
    with living.running():
        assert sum(b"acme" in path.read_bytes() for path in tmp_path.iterdir()) == 3  # the control

        living.forget_tenant("acme")

        assert not any(b"acme" in path.read_bytes() for path in tmp_path.iterdir())
        assert any(b"globex" in path.read_bytes() for path in tmp_path.iterdir())
        assert predictions(tmp_path) == 9


def test_gauges_are_summed_or_the_largest_holds() -> None:
    both = [(families.CONNECTIONS.name, 3.0), (families.LOOP_LAG.name, 0.5)], [(families.CONNECTIONS.name, 4.0), (families.LOOP_LAG.name, 0.2)]  # fmt: skip

    found = merged(Snapshot(series=[(name, Series((), [value])) for name, value in one]) for one in both)

    assert found[families.CONNECTIONS.name][()].values == [7.0]
    assert found[families.LOOP_LAG.name][()].values == [0.5]


def test_totals_are_bounded_and_keep_their_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.metrics.process_files.MAX_FOLDED_SERIES", 10)
    for start in range(3):
        ended(tmp_path, Snapshot(series=[
            (families.PREDICTIONS.name, Series(("acme", f"m{start}-{number}", "1", "rest", "200"), [1.0], 1.0 + start))
            for number in range(20)
        ]))  # fmt: skip
        total = predictions(tmp_path)
        assert total == 20 * (start + 1)

    kept = read_all(tmp_path)[families.PREDICTIONS.name]
    assert len(kept) == 11
    assert kept["", "other", "", "rest", "200"].values == [50.0]


def test_the_metrics_of_a_process_are_there_from_start_to_stop(tmp_path: Path) -> None:
    metrics = ProcessMetrics(tmp_path)
    with metrics.running():
        metrics.predictions.entry("acme", "sum", 1).observe("rest", 200, 0.001)
    after = ProcessMetrics(tmp_path)

    body, _ = after.exposition()
    after.stop()

    assert b'foretell_predictions_total{face="rest",model="sum",status="200",tenant="acme",version="1"} 1.0' in body


def _cut_off_before_files_are_gone(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(InterruptedError):
            read_all(directory)


def _rewrite(path: Path, change: Callable[[Snapshot], Snapshot]) -> None:
    import msgspec

    path.write_bytes(msgspec.msgpack.encode(change(msgspec.msgpack.decode(path.read_bytes(), type=Snapshot))))
