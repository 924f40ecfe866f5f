"""A tenant that is deleted is gone: nothing of it is found in the database, and nothing in FORETELL_HOME."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from foretell.config.deleting import delete_everywhere
from foretell.core.tenancy import as_owner, use_public
from foretell.gateway.lane import Gateway
from foretell.metrics.process import ProcessMetrics
from foretell.segments.writing import SegmentWriter
from foretell.tenants import services
from foretell.tenants.deleting import due_to_delete, schedule_deletion, sweep_orphans
from foretell.tenants.services import resume_tenant
from tests.cast import House, open_house
from tests.http import HttpFor
from tests.logged import logged_prediction, prediction_record
from tests.models import ready_sum_model

CANARY = "canary-7c1d"
NOW = timezone.now()


@pytest.fixture
def writer(only_the_cast: None) -> Iterator[SegmentWriter]:
    """The log of a web process that goes on, so that its segment stays."""
    opened = SegmentWriter(settings.PREDICTION_LOG_ROOT, reserve_bytes=0, sync_every_s=0.01)
    yield opened
    opened.close()
    drained()


@pytest.fixture
def initech(writer: SegmentWriter) -> House:
    """A tenant that has left its name everywhere."""
    house = open_house("initech", {f"{CANARY}-owner": "owner"})
    who = f"{CANARY}-owner"
    ready_sum_model(house, name=f"{CANARY}-model", by=who)
    logged_prediction(house, by=who, model=f"{CANARY}-model", inputs=CANARY.encode())
    (settings.ARTIFACT_ROOT / str(house.tenant.pk) / "file").write_text(CANARY)
    for tenant_id in (str(house.tenant.pk), "00000000-0000-0000-0000-000000000009"):
        for _ in range(3):
            own = CANARY if tenant_id == str(house.tenant.pk) else "another's"
            writer.append(
                prediction_record(
                    tenant=tenant_id, model=f"{own}-model", inputs=f"{own} inputs".encode(), request_id=own
                )
            )
    of_the_dead = ProcessMetrics(settings.METRICS_ROOT)
    of_the_dead.predictions.entry("initech", f"{CANARY}-model", 1).observe("rest", 200, 0.001)
    of_the_dead.publish()
    of_the_dead.stop()
    with use_public(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args) VALUES ('default', 'x', 0, jsonb_build_object('tenant', %s::text, 'c', %s::text))",
            [str(house.tenant.pk), CANARY],
        )
    return house


@pytest.fixture
def catalogue(initech: House) -> None:
    """A web process was here, and has left its snapshot and its versions' files."""
    gateway = Gateway(hears=False)
    gateway.refresh()
    gateway.end()


def drained() -> None:
    from foretell.monitoring.connecting import connect
    from foretell.monitoring.draining import Drainer

    Drainer(settings.PREDICTION_LOG_ROOT, connect).drain()


def in_files(canary: str) -> list[str]:
    """Name the files of FORETELL_HOME that have it, but the database's own."""
    home: Path = settings.FORETELL_HOME
    found = []
    for path in home.rglob("*"):
        if (home / "postgres") in path.parents or not path.is_file():
            continue
        with contextlib.suppress(OSError):
            if canary in path.name or canary.encode() in path.read_bytes():
                found.append(str(path.relative_to(home)))
    return found


def in_database(canary: str) -> list[str]:
    """Name the tables that have it in any column, of any schema; those of the server itself among them."""
    with use_public(), as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname <> 'information_schema'"
        )
        tables = [
            name
            for (name,) in cursor.fetchall()
            if name not in ("pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data")
        ]
        found = []
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table} AS line WHERE line::text LIKE %s", [f"%{canary}%"])  # noqa: S608
            if cursor.fetchone() != (0,):
                found.append(table)
    return found


@pytest.mark.usefixtures("catalogue")
def test_nothing_is_left_of_what_it_owned(initech: House) -> None:
    schema = initech.tenant.schema_name
    assert any("predictions" in name for name in in_files(CANARY))  # the controls: it was everywhere
    assert any("artifacts" in name for name in in_files(CANARY))
    assert any("catalogue/snapshot" in name for name in in_files(CANARY))
    assert any("metrics" in name for name in in_files(CANARY))
    assert (settings.FORETELL_HOME / "catalogue" / "versions" / str(initech.tenant.pk)).exists()
    assert {f"{schema}.accounts_user", f"{schema}.monitoring_prediction", "public.procrastinate_jobs"} <= set(
        in_database(CANARY)
    )

    delete_everywhere(tenant=initech.tenant)

    assert in_files(CANARY) == []
    assert in_database(CANARY) == []
    assert in_database(schema) == ["public.installation_audit_entry"]  # that there was one, and who ended it
    assert not (settings.FORETELL_HOME / "catalogue" / "versions" / str(initech.tenant.pk)).exists()
    assert not (settings.ARTIFACT_ROOT / str(initech.tenant.pk)).exists()


@pytest.mark.usefixtures("catalogue")
def test_what_others_left_beside_it_stays(initech: House, writer: SegmentWriter, http_for: HttpFor) -> None:
    from foretell.gateway.keeping import snapshot_of

    delete_everywhere(tenant=initech.tenant)

    assert any("predictions" in name for name in in_files("another's"))
    assert len(snapshot_of(settings.FORETELL_HOME / "catalogue") or []) >= 2
    assert http_for("alice").get("/api/v1/me/").status_code == 200
    drained()  # and the segments can be read on


def test_records_that_nobody_drained_yet_are_gone_too_and_the_segments_stay_whole(initech: House) -> None:
    from foretell.monitoring.forgetting import forget_records
    from foretell.segments.files import segment_paths
    from foretell.segments.format import Tail, frames_of
    from foretell.segments.reading import START

    def sizes_and_tails() -> list[tuple[int, Tail]]:
        return [
            (path.stat().st_size, frames_of(path.read_bytes()[START:], START).tail)
            for path in segment_paths(settings.PREDICTION_LOG_ROOT)
        ]

    before = sizes_and_tails()
    assert forget_records(settings.PREDICTION_LOG_ROOT, tenant_id=str(initech.tenant.pk)) == 3

    assert sizes_and_tails() == before
    assert {tail for _, tail in before} == {Tail.NOTHING}
    assert forget_records(settings.PREDICTION_LOG_ROOT, tenant_id=str(initech.tenant.pk)) == 0


def test_while_a_drainer_is_at_work_only_what_it_has_read_is_written_over(initech: House) -> None:
    import fcntl
    import os

    from foretell.monitoring.forgetting import forget_records

    descriptor = os.open(settings.PREDICTION_LOG_ROOT / "drainer.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert forget_records(settings.PREDICTION_LOG_ROOT, tenant_id=str(initech.tenant.pk), wait_s=0.3) == 0
    finally:
        os.close(descriptor)
    drained()

    assert forget_records(settings.PREDICTION_LOG_ROOT, tenant_id=str(initech.tenant.pk)) == 3


def test_within_the_time_of_grace_it_can_be_had_back(initech: House, http_for: HttpFor) -> None:
    key = {"X-API-Key": next(iter(initech.people.values())).key}
    client = http_for(None, tenant="initech")
    after = schedule_deletion(tenant=initech.tenant, now=NOW, grace=timedelta(days=7))

    assert client.get("/api/v1/me/", headers=key).status_code == 403
    assert due_to_delete(now=after - timedelta(seconds=1)) == []
    assert [tenant.name for tenant in due_to_delete(now=after)] == ["initech"]

    resume_tenant(tenant=services.get_tenant("initech"))

    assert client.get("/api/v1/me/", headers=key).status_code == 200
    assert due_to_delete(now=after) == []


def test_a_suspension_that_ends_does_not_bring_back_who_is_to_be_deleted(initech: House) -> None:
    services.suspend_tenant(tenant=initech.tenant, now=NOW, until=NOW + timedelta(hours=1))
    schedule_deletion(tenant=initech.tenant, now=NOW)

    assert services.resume_due(now=NOW + timedelta(days=1)) == 0
    assert services.get_tenant("initech").is_suspended


def test_the_worker_deletes_whose_time_is_over_and_nobody_else(initech: House) -> None:
    from foretell.config.tasks import delete_tenants

    schedule_deletion(tenant=initech.tenant, now=NOW, grace=timedelta(days=1))
    delete_tenants(timestamp=0)
    assert services.get_tenant("initech").delete_after is not None

    schedule_deletion(tenant=initech.tenant, now=NOW - timedelta(days=2), grace=timedelta(days=1))
    delete_tenants(timestamp=0)

    assert "initech" not in {tenant.name for tenant in services.list_tenants()}
    assert in_database(CANARY) == []


def test_what_a_push_wrote_behind_the_deletion_is_swept(initech: House, acme: House) -> None:
    import os

    delete_everywhere(tenant=initech.tenant)
    orphan = settings.ARTIFACT_ROOT / str(initech.tenant.pk)
    (settings.ARTIFACT_ROOT / str(acme.tenant.pk)).mkdir(parents=True, exist_ok=True)
    for path in (orphan, settings.ARTIFACT_ROOT / ".import-killed", settings.ARTIFACT_ROOT / "lost+found"):
        path.mkdir(exist_ok=True)
        os.utime(path, (NOW.timestamp() - 90_000, NOW.timestamp() - 90_000))
    young = settings.ARTIFACT_ROOT / "00000000-0000-0000-0000-000000000001"
    young.mkdir()

    assert sweep_orphans(now=NOW) == 2

    assert (orphan.exists(), young.exists(), (settings.ARTIFACT_ROOT / "lost+found").exists()) == (False, True, True)
    assert (settings.ARTIFACT_ROOT / str(acme.tenant.pk)).exists()
    young.rmdir()


def test_deleting_twice_is_deleting_once(initech: House) -> None:
    delete_everywhere(tenant=initech.tenant)
    delete_everywhere(tenant=initech.tenant)


def test_the_command_asks_for_the_name_and_gives_a_time_of_grace(
    initech: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from foretell.cli import app as cli

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["foretell", "tenant", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.run()
        return int(ended.value.code or 0)

    answers = iter(["acme", "initech", "initech"])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))

    assert run("delete", "initech") == 1
    assert services.state_of(services.get_tenant("initech")) == "active"
    assert run("delete", "initech", "--json") == 0
    assert services.state_of(services.get_tenant("initech")) == "deleting"
    assert run("resume", "initech") == 0
    assert run("delete", "initech", "--now") == 0
    assert in_database(CANARY) == []
    assert "had back" not in capsys.readouterr().out


def test_the_installation_remembers_who_deleted_whom(initech: House) -> None:
    from foretell.audit.installation.models import InstallationEntry

    delete_everywhere(tenant=initech.tenant)

    with use_public():
        last: Any = InstallationEntry.objects.about("tenant", [str(initech.tenant.pk)]).order_by("position").last()
    assert (last.action, last.before["name"], last.before["schema"]) == (
        "tenant.deleted",
        "initech",
        initech.tenant.schema_name,
    )
