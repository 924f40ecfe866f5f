"""A database that is stopped, killed and started again while predictions come in: none is lost, none is there twice."""

import os
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from foretell.embedded.postgres import Postgres
from foretell.monitoring import draining
from foretell.monitoring.draining import Drainer
from foretell.segments.lag import drain_lag
from foretell.segments.writing import SegmentWriter
from tests.logged import prediction_record

TENANT = uuid.UUID(int=5)
# What the drainer writes to, without a primary key: a row that came twice would be there twice.
TABLES = """
    CREATE TABLE tenants_tenant (id uuid PRIMARY KEY, schema_name text);
    INSERT INTO tenants_tenant VALUES ('00000000-0000-0000-0000-000000000005', 't_outage');
    CREATE TABLE segment_marks_segmentmark (segment text PRIMARY KEY, "offset" bigint);
    CREATE TABLE segment_marks_waitingpiece (segment text, tenant text, begins bigint, ends bigint, UNIQUE (segment, tenant));
    CREATE SCHEMA t_outage;
    SET search_path = t_outage;
    CREATE TABLE monitoring_prediction (id uuid, at timestamptz, user_id uuid, version int, n_rows int, n_warnings int,
        duration_us bigint, cpu_us bigint, model text, face text, request_id text, inputs_type text, key_id text, inputs bytea, outputs bytea);
    CREATE TABLE monitoring_usagehour (hour timestamptz, model text, version int, user_id uuid, key_id text, requests bigint,
        rows bigint, duration_us bigint, cpu_us bigint, bytes bigint, UNIQUE (hour, model, version, user_id, key_id));
"""


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A server of this test's own, which it may stop."""
    with tempfile.TemporaryDirectory(prefix="foretell-outage-") as directory:
        Path(directory).chmod(0o711)
        postgres = Postgres(Path(directory) / "data")
        postgres.start()
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(TABLES)
        yield postgres
        postgres.stop()


def connect_to(server: Postgres) -> Any:
    connection = psycopg.connect(server.url, autocommit=True, connect_timeout=5)
    connection.execute("SELECT set_config('search_path', '', false)")
    return connection


def test_stops_kills_and_starts_of_the_database_lose_nothing_and_double_nothing(
    server: Postgres, writer: SegmentWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "LONGEST_BACKOFF_S", 0.1)
    written: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            record = prediction_record(tenant=str(TENANT))
            writer.append(record)
            written.append(str(uuid.UUID(bytes=record.id)))
            time.sleep(0.0005)

    drainer = Drainer(tmp_path / "log", lambda: connect_to(server), poll_s=0.01, batch_bytes=4_000)
    threads = [threading.Thread(target=write), threading.Thread(target=drainer.run, args=(stop,))]
    for thread in threads:
        thread.start()
    for is_killed in (False, True, False):
        time.sleep(0.3)
        if is_killed and (pid := server.pid):
            os.kill(pid, signal.SIGKILL)
        server.stop()
        time.sleep(0.2)
        server.start()
    deadline = time.monotonic() + 20
    while drain_lag(tmp_path / "log").n_bytes > 10_000 and time.monotonic() < deadline:  # while writing goes on
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    writer.close()
    drainer.drain()

    with connect_to(server) as connection:
        stored = [str(row[0]) for row in connection.execute("SELECT id FROM t_outage.monitoring_prediction")]
        (counted,) = connection.execute("SELECT sum(requests) FROM t_outage.monitoring_usagehour").fetchone()
    assert sorted(stored) == sorted(written)
    assert counted == len(written)
    assert drain_lag(tmp_path / "log").n_segments == 0
