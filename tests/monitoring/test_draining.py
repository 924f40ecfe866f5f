"""Each record reaches its own tenant's schema once, whatever dies and whenever."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from django.utils import timezone

from foretell.monitoring import draining, marking
from foretell.monitoring.connecting import connect
from foretell.monitoring.draining import AnotherDrains, Drainer
from foretell.monitoring.marking import MarkMoved
from foretell.monitoring.settling import MAX_TENANTS
from foretell.monitoring.storing import Store
from foretell.segments.files import segment_paths
from foretell.segments.format import framed
from foretell.segments.lag import drain_lag, read_progress
from foretell.segments.records import GapRecord, PredictionRecord, decode, encode, encode_plain
from foretell.segments.writing import SegmentWriter
from tests.cast import Cast, House
from tests.logged import AT_US, prediction_record

ROOT = Path(__file__).parents[2]


def record_for(house: House, *, by: str = "", **fields: Any) -> PredictionRecord:
    person = by or next(iter(house.people))
    who = {"user_id": str(house.user(person).pk), "key_id": house.people[person].key_id}
    return prediction_record(tenant=str(house.tenant.id), **{**who, **fields})


def ids_of(house: House) -> list[bytes]:
    from foretell.monitoring.models import Prediction

    with house.inside():
        return sorted(one.bytes for one in Prediction.objects.values_list("id", flat=True))


def marks() -> dict[str, int]:
    from foretell.core.tenancy import use_public
    from foretell.monitoring.segment_marks.models import SegmentMark

    with use_public():
        return dict(SegmentMark.objects.values_list("segment", "offset"))


def within(seconds: float, condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def drainer(cast: Cast, directory: Path) -> Drainer:
    return Drainer(directory, connect)


def test_records_reach_the_database_once_however_often_one_looks(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path
) -> None:
    written = [record_for(acme) for _ in range(20)]
    for record in written[:15]:
        writer.append(record)

    assert drainer.drain() == 15
    assert drainer.drain() == 0
    for record in written[15:]:
        writer.append(record)
    assert drainer.drain() == 5

    assert ids_of(acme) == sorted(record.id for record in written)
    (segment,) = segment_paths(directory)
    assert marks()[segment.stem] == segment.stat().st_size
    assert drain_lag(directory).n_bytes == 0


def test_a_row_is_what_was_recorded(acme: House, writer: SegmentWriter, drainer: Drainer) -> None:
    from foretell.monitoring.models import Prediction

    record = record_for(acme, inputs=b"\0\xff", outputs=None, request_id="r", n_rows=7, duration_us=2**40, cpu_us=2**39, n_warnings=3, key_id=None)  # fmt: skip
    writer.append(record)
    drainer.drain()

    with acme.inside():
        row = Prediction.objects.get()
    assert (row.pk, row.at) == (UUID(bytes=record.id), datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=AT_US))
    assert (row.model, row.version, row.face, str(row.user_id), row.key_id) == ("sum", 1, "rest", record.user_id, None)
    assert (row.request_id, row.n_rows, row.duration_us, row.cpu_us, row.n_warnings) == ("r", 7, 2**40, 2**39, 3)
    assert (bytes(row.inputs or b""), row.inputs_type, row.outputs) == (b"\0\xff", "application/json", None)


def test_a_record_of_a_release_that_took_no_processor_time_is_stored_without(
    acme: House, writer: SegmentWriter, drainer: Drainer
) -> None:
    from foretell.monitoring.models import Prediction

    record = record_for(acme)
    fields = msgspec.msgpack.decode(encode(record))
    old = decode(msgspec.msgpack.encode(fields[:-1]))
    assert isinstance(old, PredictionRecord)
    writer.append(old)
    drainer.drain()

    assert (record.cpu_us, old) == (50, msgspec.structs.replace(record, cpu_us=0))
    with acme.inside():
        assert Prediction.objects.get().cpu_us == 0


def test_what_is_of_one_tenant_is_in_no_other(
    acme: House, globex: House, writer: SegmentWriter, drainer: Drainer
) -> None:
    of_acme, of_globex = [record_for(acme) for _ in range(5)], [record_for(globex) for _ in range(5)]
    for pair in zip(of_acme, of_globex, strict=True):
        for record in pair:
            writer.append(record)

    drainer.drain()

    assert ids_of(acme) == sorted(record.id for record in of_acme)
    assert ids_of(globex) == sorted(record.id for record in of_globex)


def test_the_drainer_searches_no_schema_for_a_name(cast: Cast) -> None:
    with connect() as connection:
        assert connection.execute("SHOW search_path").fetchone() == ("",)
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT 1 FROM tenants_tenant")


def test_a_segment_goes_when_it_is_drained_and_its_writer_is_gone_and_not_before(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path
) -> None:
    writer.append(record_for(acme))
    drainer.drain()
    assert len(segment_paths(directory)) == 1

    writer.close()
    drainer.drain()

    assert segment_paths(directory) == []
    assert not set(marks()) & set(read_progress(directory).offsets)


def test_the_records_of_a_tenant_that_is_gone_are_dropped_and_counted(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path
) -> None:
    for tenant in (str(uuid4()), "no uuid at all"):
        writer.append(prediction_record(tenant=tenant))
    kept = record_for(acme)
    writer.append(kept)

    assert drainer.drain() == 1

    assert ids_of(acme) == [kept.id]
    assert read_progress(directory).n_dropped == 2


def test_the_records_of_a_suspended_tenant_are_kept(acme: House, writer: SegmentWriter, drainer: Drainer) -> None:
    from foretell.tenants.services import suspend_tenant

    suspend_tenant(tenant=acme.tenant, now=timezone.now())
    writer.append(record_for(acme))

    assert drainer.drain() == 1


def test_more_tenants_than_one_transaction_takes_are_drained_in_several(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path
) -> None:
    for _ in range(MAX_TENANTS + 10):
        writer.append(prediction_record(tenant=str(uuid4())))
    writer.append(record_for(acme))

    assert drainer.drain() == 1
    assert read_progress(directory).n_dropped == MAX_TENANTS + 10


def test_a_server_with_few_locks_is_given_fewer_tenants_at_once(
    acme: House,
    globex: House,
    writer: SegmentWriter,
    drainer: Drainer,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, largest = Store.store, 0

    def stored(self: Store, spans: Any) -> Any:
        nonlocal largest
        n_tenants = len({record.tenant for span in spans for record in span.records})
        if n_tenants > 5:
            raise psycopg.errors.OutOfMemory("out of shared memory")
        largest = max(largest, n_tenants)
        return store(self, spans)

    monkeypatch.setattr(Store, "store", stored)
    first, last = record_for(acme), record_for(globex)
    for record in (first, *(prediction_record(tenant=str(uuid4())) for _ in range(50)), last):
        writer.append(record)

    assert drainer.drain() == 2

    assert (ids_of(acme), ids_of(globex)) == ([first.id], [last.id])
    assert (read_progress(directory).n_dropped, 1 <= largest <= 5) == (50, True)


def test_what_comes_in_while_a_batch_is_stored_waits_for_company(
    acme: House, writer: SegmentWriter, drainer: Drainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else, under load, the drainer would never rest, and each transaction would have a handful of records."""
    store, n_transactions = Store.store, 0

    def stored(self: Store, spans: Any) -> Any:
        nonlocal n_transactions
        n_transactions += 1
        writer.append(record_for(acme))
        assert n_transactions < 10
        return store(self, spans)

    monkeypatch.setattr(Store, "store", stored)
    writer.append(record_for(acme))

    assert (drainer.drain(), n_transactions) == (1, 1)
    assert (drainer.drain(), n_transactions) == (1, 2)


def test_what_is_larger_than_a_batch_is_drained_at_once_all_the_same(
    acme: House, writer: SegmentWriter, directory: Path
) -> None:
    written = [record_for(acme) for _ in range(30)]
    for record in written:
        writer.append(record)

    assert Drainer(directory, connect, batch_bytes=500).drain() == 30

    assert ids_of(acme) == sorted(record.id for record in written)


def test_a_record_larger_than_a_batch_is_drained(acme: House, writer: SegmentWriter, directory: Path) -> None:
    written = [record_for(acme, inputs=b"x" * size) for size in (10, 100_000, 10)]
    for record in written:
        writer.append(record)
    writer.close()

    assert Drainer(directory, connect, batch_bytes=500).drain() == 3

    assert segment_paths(directory) == []


# --- usage, keys, gaps ---


def test_usage_is_counted_by_the_hour_in_the_same_transaction(
    acme: House, writer: SegmentWriter, drainer: Drainer
) -> None:
    from foretell.monitoring.models import UsageHour

    hour = AT_US // 3_600_000_000 * 3_600_000_000
    for at_us in (hour, hour + 3_599_999_999, hour + 3_600_000_000):
        writer.append(record_for(acme, at_us=at_us, n_rows=10, inputs=b"12345", outputs=None))
        drainer.drain()
    writer.append(record_for(acme, at_us=hour, key_id=None))
    drainer.drain()

    with acme.inside():
        counted = [
            (one.key_id, one.requests, one.rows, one.bytes) for one in UsageHour.objects.order_by("hour", "-key_id")
        ]
        totals = UsageHour.objects.all().totals()
    key = acme.people["alice"].key_id
    assert counted == [(key, 2, 20, 10), ("", 1, 1, 35), (key, 1, 10, 5)]
    assert (totals["requests"], totals["rows"]) == (4, 31)


def test_a_key_was_last_used_when_its_latest_prediction_was(
    acme: House, writer: SegmentWriter, drainer: Drainer
) -> None:
    from foretell.accounts.models import APIKey

    def last_used() -> datetime | None:
        with acme.inside():
            return APIKey.objects.get(user__username="alice").last_used_at

    def used_at(at_us: int) -> datetime | None:
        writer.append(record_for(acme, at_us=at_us))
        drainer.drain()
        return last_used()

    with acme.inside():
        APIKey.objects.update(last_used_at=None)
    first = used_at(AT_US)
    assert first is not None
    assert used_at(AT_US - 90_000_000) == first
    assert used_at(AT_US + 90_000_000) == first + timedelta(seconds=90)


def test_gaps_are_written_down_for_their_tenant(
    acme: House, globex: House, writer: SegmentWriter, directory: Path, drainer: Drainer
) -> None:
    from foretell.monitoring.models import LogGap

    writer.append(record_for(acme))
    writer.close()
    (segment,) = segment_paths(directory)
    with segment.open("ab") as file:
        file.write(framed(encode_plain(GapRecord(uuid4().bytes, str(acme.tenant.id), AT_US, AT_US + 1, 12))))
    drainer.drain()

    for house, expected in ((acme, [12]), (globex, [])):
        with house.inside():
            assert list(LogGap.objects.values_list("n_predictions", flat=True)) == expected


# --- what must not hold up the rest ---


@pytest.mark.parametrize(
    "fields",
    [{"version": 2**40}, {"model": "x" * 200}, {"model": "a\0b"}, {"user_id": "nobody"}, {"id": b"short"}, {"at_us": 2**70 // 2**7},
     {"n_rows": -1}],
)  # fmt: skip
def test_a_record_that_fits_no_row_is_set_aside_and_all_others_are_stored(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path, fields: dict[str, Any]
) -> None:
    others = [record_for(acme) for _ in range(9)]
    poison = PredictionRecord(**{name: getattr(others[0], name) for name in PredictionRecord.__struct_fields__} | {"id": uuid4().bytes} | fields)  # fmt: skip
    for record in (*others[:4], poison, *others[4:]):
        writer.append(record)

    drainer.drain()

    assert ids_of(acme) == sorted(record.id for record in others)
    assert len(list((directory / "rejected").iterdir())) == 1
    assert drainer.drain() == 0


def test_a_frame_that_is_no_record_is_set_aside(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path
) -> None:
    before, after = record_for(acme), record_for(acme)
    writer.append(before)
    (segment,) = segment_paths(directory)
    with segment.open("ab") as file:
        file.write(framed(b"from a version to come"))
    writer.append(after)

    drainer.drain()

    assert ids_of(acme) == sorted([before.id, after.id])
    (aside,) = (directory / "rejected").iterdir()
    assert b"from a version to come" in aside.read_bytes()


def test_a_tail_that_a_death_left_is_no_record_and_the_segment_goes(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path
) -> None:
    record = record_for(acme)
    writer.append(record)
    writer.close()
    (segment,) = segment_paths(directory)
    with segment.open("ab") as file:
        file.write(framed(b"x" * 100)[:50])

    drainer.drain()

    assert ids_of(acme) == [record.id]
    assert segment_paths(directory) == []


def test_a_damaged_segment_is_kept_for_a_person_to_look_at(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path
) -> None:
    record = record_for(acme)
    writer.append(record)
    writer.close()
    (segment,) = segment_paths(directory)
    with segment.open("ab") as file:
        file.write(bytes(4_096))

    drainer.drain()

    assert ids_of(acme) == [record.id]
    assert [path.suffix for path in directory.iterdir() if path.stem == segment.stem] == [".damaged"]


# --- exactly once ---


def test_a_commit_whose_answer_never_came_is_not_repeated(
    acme: House, writer: SegmentWriter, drainer: Drainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_for(acme)
    writer.append(record)
    with losing_the_answer(monkeypatch), pytest.raises(psycopg.OperationalError):
        drainer.drain()

    assert drainer.drain() == 0
    assert ids_of(acme) == [record.id]


def test_control_without_the_marks_in_the_transaction_it_would_be_repeated(
    acme: House, writer: SegmentWriter, drainer: Drainer, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "move_marks", lambda *_: None)
    writer.append(record_for(acme))
    with losing_the_answer(monkeypatch), pytest.raises(psycopg.OperationalError):
        drainer.drain()

    drainer.drain()

    assert len(list((directory / "rejected").iterdir())) == 1  # only the primary key kept it from being there twice


@contextmanager
def losing_the_answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    store = Store.store

    def stored(self: Store, entries: Any) -> Any:
        store(self, entries)
        raise psycopg.OperationalError("the connection was lost while the commit was under way")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "store", stored)
        yield


def test_several_drainers_take_turns(cast: Cast, directory: Path) -> None:
    one, other = Drainer(directory, connect), Drainer(directory, connect)

    with one._alone(), pytest.raises(AnotherDrains):
        other.drain()

    assert other.drain() == 0


def test_two_that_drain_at_once_all_the_same_store_nothing_twice(
    acme: House, writer: SegmentWriter, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the lock does not hold, as on some network file systems, the marks do."""
    unlocked = SimpleNamespace(flock=lambda *_: None, LOCK_EX=0, LOCK_NB=0)
    monkeypatch.setattr("foretell.monitoring.draining.fcntl", unlocked)
    slow, quick, record = Drainer(directory, connect), Drainer(directory, connect), record_for(acme)
    writer.append(record)
    store = Store.store

    def stored(self: Store, entries: Any) -> Any:
        monkeypatch.setattr(Store, "store", store)
        assert quick.drain() == 1
        return store(self, entries)

    monkeypatch.setattr(Store, "store", stored)
    with pytest.raises(MarkMoved):
        slow.drain()

    assert slow.drain() == 0
    assert ids_of(acme) == [record.id]


DRAINER = """
import os, sys, threading
from pathlib import Path
import django
django.setup()
from foretell.monitoring.connecting import connect
from foretell.monitoring.draining import Drainer
print("ready", flush=True)
Drainer(Path(sys.argv[1]), connect, poll_s=0.01, batch_bytes=2_000).run(threading.Event())
"""


def test_kill_9_of_the_drainer_loses_nothing_and_doubles_nothing(
    acme: House, globex: House, directory: Path, drainer: Drainer
) -> None:
    written: dict[str, list[bytes]] = {"acme": [], "globex": []}
    models = [("acme", record_for(acme)), ("globex", record_for(globex))]
    chance = random.Random(7)  # noqa: S311  no secret
    for _ in range(3):
        writer = SegmentWriter(directory, reserve_bytes=0, segment_bytes=50_000, sync_every_s=0.01)
        process = subprocess.Popen([sys.executable, "-c", DRAINER, str(directory)], stdout=subprocess.PIPE, cwd=ROOT)
        assert process.stdout is not None
        process.stdout.readline()
        until = time.monotonic() + chance.uniform(0.1, 0.5)
        while time.monotonic() < until:
            for name, model in models:
                record = prediction_record(tenant=model.tenant, user_id=model.user_id, key_id=model.key_id)
                writer.append(record)
                written[name].append(record.id)
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        writer.close()

    drainer.drain()

    assert ids_of(acme) == sorted(written["acme"])
    assert ids_of(globex) == sorted(written["globex"])
    assert not (directory / "rejected").exists()
    assert segment_paths(directory) == []


@contextmanager
def running(drainer: Drainer) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=drainer.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_database_that_is_away_or_cuts_connections_loses_nothing_and_doubles_nothing(
    acme: House, writer: SegmentWriter, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "LONGEST_BACKOFF_S", 0.05)
    away = {"yes": True}

    def connect_or_not() -> Any:
        if away["yes"]:
            raise psycopg.OperationalError("connection refused")
        return connect()

    template, written = record_for(acme), []
    with running(Drainer(directory, connect_or_not, poll_s=0.01, batch_bytes=2_000)):
        for number in range(600):
            away["yes"] = number < 100
            record = prediction_record(tenant=template.tenant, user_id=template.user_id)
            writer.append(record)
            written.append(record.id)
            if number % 50 == 49:
                cut_connections()
            time.sleep(0.001)
        assert within(20, lambda: drain_lag(directory).n_bytes == 0)

    assert ids_of(acme) == sorted(written)


def cut_connections() -> None:
    from django.db import connection

    from foretell.core.tenancy import use_public

    with use_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'foretell drainer'"
        )


def test_a_clean_end_drains_what_is_there(acme: House, writer: SegmentWriter, drainer: Drainer) -> None:
    with running(drainer):
        pass
    record = record_for(acme)
    writer.append(record)
    stop = threading.Event()
    stop.set()

    with drainer._alone():
        drainer._drain_until(stop)

    assert ids_of(acme) == [record.id]


def test_the_directory_lets_nobody_else_in(cast: Cast, writer: SegmentWriter, directory: Path, acme: House) -> None:
    writer.append(record_for(acme))

    assert os.stat(directory).st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in segment_paths(directory))


def test_what_is_large_is_compressed_by_lz4_where_the_server_can(cast: Cast) -> None:
    with connect() as connection:
        row = connection.execute(
            "SELECT setting, enumvals FROM pg_settings WHERE name = 'default_toast_compression'"
        ).fetchone()
    assert row is not None
    setting, possible = row
    assert setting == ("lz4" if "lz4" in possible else "pglz")


def test_the_usage_of_many_at_once_is_counted_for_each(acme: House, writer: SegmentWriter, drainer: Drainer) -> None:
    """They go another way than a few do, where a name could be mistaken for something else."""
    from foretell.monitoring.models import UsageHour

    names = ["sum", "NULL", "", 'a"b', "a\\b", "{a,b}", "a,b", "ä", " "]
    for _ in range(2):
        for name in names:
            for times in range(2):
                writer.append(record_for(acme, model=name, key_id=name or None, n_rows=times))
    drainer.drain()
    drainer.drain()

    with acme.inside():
        counted = {(one.model, one.key_id): (one.requests, one.rows) for one in UsageHour.objects.all()}
    assert counted == {(name, name): (4, 2) for name in names}
