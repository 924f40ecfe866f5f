"""A tenant whose schema does not take its predictions holds up nobody else's; its own wait, and come when it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from foretell.monitoring import draining, marking, storing
from foretell.monitoring.connecting import connect
from foretell.monitoring.draining import Drainer
from foretell.monitoring.marking import MarkMoved
from foretell.monitoring.tailing import TailedSegment
from foretell.segments.files import segment_paths
from foretell.segments.lag import drain_lag, read_progress
from foretell.segments.records import PredictionRecord
from foretell.segments.writing import SegmentWriter
from tests.cast import Cast, House
from tests.logged import prediction_record


@pytest.fixture
def directory(tmp_path: Path, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(draining, "WAITING_AGAIN_S", 0.0)
    return tmp_path / "log"


def record_for(house: House, **fields: Any) -> PredictionRecord:
    return prediction_record(tenant=str(house.tenant.id), **fields)


def ids_of(house: House) -> list[bytes]:
    from foretell.monitoring.models import Prediction

    with house.inside():
        return sorted(one.bytes for one in Prediction.objects.values_list("id", flat=True))


def requests_of(house: House) -> int:
    from foretell.monitoring.models import UsageHour

    with house.inside():
        return UsageHour.objects.all().totals()["requests"]


def drain(directory: Path) -> int:
    """Drain as a worker that has just started would."""
    return Drainer(directory, connect).drain()


SCHEMA_AND_CODE_DIFFER = (
    ("RENAME request_id TO asked_as", "RENAME asked_as TO request_id"),
    ("ADD new_field int NOT NULL", "DROP new_field"),
    ("ALTER version TYPE bigint", "ALTER version TYPE int"),
    ("RENAME TO elsewhere", ""),
)


@contextmanager
def other_schema(
    house: House, change: str = SCHEMA_AND_CODE_DIFFER[0][0], back: str = SCHEMA_AND_CODE_DIFFER[0][1]
) -> Iterator[None]:
    def alter(table: str, how: str) -> None:
        with connect() as connection:
            connection.execute(f'ALTER TABLE "{house.tenant.schema_name}".{table} {how}'.encode())

    alter("monitoring_prediction", change)
    try:
        yield
    finally:
        if back:
            alter("monitoring_prediction", back)
        else:
            alter("elsewhere", "RENAME TO monitoring_prediction")


def written(writer: SegmentWriter, *houses: House, times: int = 5, **fields: Any) -> dict[str, list[bytes]]:
    """Write records of these tenants, in turn; return their ids."""
    ids: dict[str, list[bytes]] = {}
    for _ in range(times):
        for house in houses:
            record = record_for(house, **fields)
            writer.append(record)
            ids.setdefault(house.tenant.name, []).append(record.id)
    return {name: sorted(found) for name, found in ids.items()}


@pytest.mark.parametrize(("change", "back"), SCHEMA_AND_CODE_DIFFER)
def test_a_schema_that_differs_from_the_code_holds_up_nobody_else(
    acme: House, globex: House, writer: SegmentWriter, directory: Path, change: str, back: str
) -> None:
    with other_schema(acme, change, back):
        before = written(writer, acme, globex)
        assert drain(directory) == 5
        after = written(writer, globex, acme)
        assert drain(directory) == 5
        writer.close()
        assert drain(directory) == 0

        assert ids_of(globex) == sorted(before["globex"] + after["globex"])
        assert len(segment_paths(directory)) == 1  # what waits is nowhere else
    assert drain(directory) == 10

    assert ids_of(acme) == sorted(before["acme"] + after["acme"])
    assert (requests_of(acme), requests_of(globex)) == (10, 10)
    assert (segment_paths(directory), (directory / "rejected").exists()) == ([], False)
    assert drain(directory) == 0


def test_control_without_waiting_nobodys_predictions_are_stored(
    acme: House, globex: House, writer: SegmentWriter, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "UNREADY", ())
    with other_schema(acme):
        written(writer, acme, globex)
        with pytest.raises(psycopg.errors.UndefinedColumn):
            drain(directory)

        assert ids_of(globex) == []


def test_one_drainer_that_goes_on_stores_what_waited_in_many_parts(
    acme: House, globex: House, writer: SegmentWriter, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "WAITING_BYTES", 1_000)
    drainer = Drainer(directory, connect, batch_bytes=1_500)
    with drainer._alone():
        with other_schema(acme):
            ids = written(writer, acme, globex, times=50)
            assert drainer._pass() == 50
        more = written(writer, globex, acme, times=50)
        assert drainer._pass() == 150

    assert ids_of(acme) == sorted(ids["acme"] + more["acme"])
    assert ids_of(globex) == sorted(ids["globex"] + more["globex"])


def test_what_waits_is_seen_in_the_lag(acme: House, globex: House, writer: SegmentWriter, directory: Path) -> None:
    with other_schema(acme):
        written(writer, acme, globex, at_us=1_000_000)
        drain(directory)

        assert drain_lag(directory).n_bytes > 0
        assert drain_lag(directory).age_s > 3_600
    drain(directory)

    assert drain_lag(directory).n_bytes == 0


def test_a_record_that_fits_no_row_is_set_aside_although_it_waited(
    acme: House, globex: House, writer: SegmentWriter, directory: Path
) -> None:
    with other_schema(acme):
        ids = written(writer, acme, globex)
        writer.append(record_for(acme, model="x" * 200))
        drain(directory)
        assert not (directory / "rejected").exists()
    drain(directory)

    assert ids_of(acme) == ids["acme"]
    assert len(list((directory / "rejected").iterdir())) == 1


def test_what_waits_of_a_tenant_that_is_then_gone_is_dropped_and_counted(
    acme: House, globex: House, writer: SegmentWriter, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other_schema(acme):
        written(writer, acme, globex)
        drain(directory)
    monkeypatch.setattr(storing, "_schemas", lambda *_: {})
    writer.close()
    drain(directory)

    assert read_progress(directory).n_dropped == 5
    assert segment_paths(directory) == []


def test_two_that_store_what_waited_at_once_store_nothing_twice(
    acme: House, globex: House, writer: SegmentWriter, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other_schema(acme):
        ids = written(writer, acme, globex)
        drain(directory)
    shorten = marking.shorten

    def after_another(*arguments: Any) -> bool:
        monkeypatch.setattr(marking, "shorten", shorten)
        with connect() as connection:
            other = storing.Store(connection)
            (segment,) = segment_paths(directory)
            other.marks([segment.stem])
            piece = TailedSegment(segment, 0)
            ((_, tenant), bounds) = next(iter(other.waiting.items()))
            other.store_waiting(tenant, [piece.read_of(tenant, *bounds, part_bytes=1 << 20)])
            piece.close()
        return shorten(*arguments)

    monkeypatch.setattr(marking, "shorten", after_another)
    with pytest.raises(MarkMoved):
        drain(directory)
    drain(directory)

    assert ids_of(acme) == ids["acme"]
    assert not (directory / "rejected").exists()
