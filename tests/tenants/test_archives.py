"""What a tenant owns goes into one file, and comes out of it in another installation: the same rows, to the last byte."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from foretell.audit import chains
from foretell.audit.installation.models import ChainHead
from foretell.config.importing import import_tenant
from foretell.core.tenancy import as_owner, use_public, use_tenant
from foretell.tenants.archives.contents import ArchiveRefused, carried_tables
from foretell.tenants.archives.writing import export_tenant
from foretell.tenants.deleting import delete_tenant
from foretell.tenants.plans import assign_plan, set_plan
from foretell.tenants.services import TenantExists, get_tenant
from tests.cast import PASSWORD, House, open_house
from tests.http import HttpFor
from tests.logged import logged_prediction
from tests.models import ready_sum_model

ROW = {"a": 1, "b": 2}
Elsewhere = Callable[[], Any]


@pytest.fixture
def initech(only_the_cast: None) -> House:
    """A tenant with everything: people, a model with two versions, a log with bytes of all kinds."""
    house = open_house("initech", {"peter": "owner", "michael": "viewer"})
    ready_sum_model(house, by="peter")
    ready_sum_model(house, by="peter", tweak="second")
    logged_prediction(house, by="michael", inputs=bytes(range(256)), outputs=None, request_id="ü\n\"quoted\" \\ 'r'")
    return house


@contextmanager
def installation_with(secret: str) -> Iterator[None]:
    """As if another installation did it. What it writes in our installation's own audit goes with it: it is not sealed by us."""
    with use_public():
        head = chains.head()
    with override_settings(SECRET_KEY=secret):
        yield
    with use_public(), as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM installation_audit_entry WHERE position > %s", [head.position])
        ChainHead.objects.filter(schema_name=head.schema_name).update(position=head.position, digest=head.digest)


@pytest.fixture
def another_secret() -> Iterator[None]:
    """As if the archive was read by an installation with another SECRET_KEY."""
    with installation_with("another installation's secret, long enough to be one"):
        yield


def exported(house: House, **options: Any) -> bytes:
    file = io.BytesIO()
    export_tenant(tenant=house.tenant, file=file, now=timezone.now(), **options)
    return file.getvalue()


def moved(archive: bytes, **options: Any) -> Any:
    """Delete the tenant here, and read it in again, as another installation would."""
    delete_tenant(tenant=get_tenant("initech"))
    return import_tenant(file=io.BytesIO(archive), now=timezone.now(), **options)


def rows_of(tenant: Any) -> dict[str, list[Any]]:
    with use_tenant(tenant), as_owner(), connection.cursor() as cursor:
        found = {}
        for table in carried_tables(tenant.schema_name):
            cursor.execute(f"SELECT to_jsonb(line)::text FROM {table.name} AS line ORDER BY 1")  # noqa: S608
            found[table.name] = [row for (row,) in cursor.fetchall()]
    return found


def files_of(tenant: Any) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in (settings.ARTIFACT_ROOT / str(tenant.pk)).iterdir()
        if len(path.name) == 64
    }


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]  # all are files


def rewritten(archive: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    found = members(archive)
    change(found)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in found.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def test_what_comes_out_is_what_went_in(initech: House) -> None:
    before, files = rows_of(initech.tenant), files_of(initech.tenant)

    imported = moved(exported(initech))

    assert rows_of(imported.arrived.tenant) == before
    assert files_of(imported.arrived.tenant) == files
    assert imported.arrived.tenant.pk == initech.tenant.pk
    assert imported.arrived.tenant.schema_name != initech.tenant.schema_name
    assert sum(map(len, before.values())) == imported.arrived.n_rows
    assert len(files) == imported.arrived.n_artifacts > 0


def test_with_the_same_secret_key_everything_goes_on_as_before(initech: House, http_for: HttpFor) -> None:
    imported = moved(exported(initech))

    assert imported.arrived.is_same_secret
    answer = http_for(None, tenant="initech").post(
        "/api/v1/models/sum/predict/", json=ROW, headers={"X-API-Key": initech.people["michael"].key}
    )
    assert (answer.status_code, answer.json()["prediction"]) == (200, 3.0)


def test_with_another_secret_key_passwords_stay_keys_end_and_versions_are_built_again(
    initech: House, another_secret: None
) -> None:
    from django.contrib.auth import authenticate

    from foretell.accounts.models import APIKey
    from foretell.registry.models import ModelVersion

    with installation_with("the secret of the installation that it comes from"):
        archive = exported(initech)
    imported = moved(archive)

    assert (imported.arrived.is_same_secret, imported.keys_ended, imported.builds) == (False, 2, 2)
    with use_tenant(imported.arrived.tenant):
        assert authenticate(username="peter", password=PASSWORD) is not None
        assert not APIKey.objects.filter(revoked_at=None).exists()
        assert set(ModelVersion.objects.values_list("state", "seal")) == {("quarantined", "")}
    with use_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'tenant' = %s", [str(imported.arrived.tenant.pk)]
        )
        assert cursor.fetchone() == (2,)


def test_new_rows_have_keys_behind_those_that_came(initech: House) -> None:
    tenant = moved(exported(initech)).arrived.tenant

    ready_sum_model(House(tenant=tenant, people=initech.people), name="another", by="peter")


def test_the_audits_chain_goes_on_where_it_ended(initech: House) -> None:
    from foretell.audit.installation.models import ChainHead
    from foretell.audit.models import Entry
    from foretell.audit.recording import record

    def write(tenant: Any, position: int) -> None:
        from django.db import transaction

        with use_tenant(tenant), transaction.atomic():
            record(action="user.changed", target=("user", str(position)))

    def ends(tenant: Any) -> tuple[int, str, str]:
        with use_tenant(tenant):
            last = Entry.objects.order_by("position").last()
        assert last is not None
        with use_public():
            head = ChainHead.objects.get(schema_name=tenant.schema_name)
        assert (head.position, head.digest) == (last.position, last.digest)
        return int(last.position or 0), last.digest, last.previous_digest

    write(initech.tenant, 1)
    position, digest, _ = ends(initech.tenant)
    tenant = moved(exported(initech)).arrived.tenant
    assert ends(tenant)[:2] == (position, digest)

    write(tenant, 2)
    assert (ends(tenant)[0], ends(tenant)[2]) == (position + 1, digest)


@pytest.mark.parametrize("secret", [None, "the secret of the installation that it comes from"])
def test_the_audits_chain_is_still_verified(initech: House, secret: str | None) -> None:
    from foretell.audit.verifying import verify_chain

    with installation_with(secret or settings.SECRET_KEY):
        archive = exported(initech)
    tenant = moved(archive).arrived.tenant

    with use_tenant(tenant):
        verified = verify_chain(anchor=None)
    assert (verified.fault, verified.rows > 0) == (None, True)


def test_the_log_can_stay_behind(initech: House) -> None:
    from foretell.monitoring.models import Prediction

    assert not any("monitoring_prediction" in name for name in members(exported(initech, with_log=False)))
    tenant = moved(exported(initech, with_log=False)).arrived.tenant

    with use_tenant(tenant):
        assert Prediction.objects.count() == 0


def test_sessions_and_what_this_installation_sealed_stay_behind(initech: House) -> None:
    from django.contrib.sessions.models import Session

    with initech.inside():
        Session.objects.create(session_key="s" * 40, session_data="canary", expire_date=timezone.now())

    names = members(exported(initech))

    assert not any(
        table in name for name in names for table in ("django_session", "tokens_", "idempotency_", "django_migrations")
    )


def test_the_manifest_lists_each_file_with_its_checksum_and_comes_last(initech: House) -> None:
    found = members(exported(initech))
    manifest = json.loads(found.pop("manifest.json"))["files"]

    assert manifest == {
        name: {"sha256": sha256(content).hexdigest(), "bytes": len(content)} for name, content in found.items()
    }
    assert next(iter(found)) == "foretell.json"


def test_an_archive_says_nothing_of_another_tenant_or_of_the_installations_secret(initech: House, acme: House) -> None:
    whole = b"".join(members(exported(initech)).values())

    for foreign in (b"alice", b"carol", acme.tenant.schema_name.encode(), settings.SECRET_KEY.encode()):
        assert foreign not in whole
    assert b"peter" in whole  # the control


def test_a_plan_goes_by_its_name_and_where_there_is_none_its_limits_stay(initech: House) -> None:
    assign_plan(tenant=initech.tenant, plan=set_plan(name="small", changes={"user": "2/min"}))
    archive = exported(initech)

    assert moved(archive).arrived.tenant.plan_id == "small"

    with use_public():
        from foretell.tenants.models import Plan, Tenant

        Tenant.objects.update(plan=None)
        Plan.objects.all().delete()
    arrived = moved(archive).arrived.tenant
    assert (arrived.plan_id, arrived.limits) == (None, {"user": "2/min"})


def test_it_may_have_another_name_and_other_domains(initech: House) -> None:
    tenant = moved(exported(initech), name="initrode", domains=["initrode.example"]).arrived.tenant

    with use_public():
        assert sorted(tenant.domains.values_list("domain", flat=True)) == ["initrode.example", "initrode.localhost"]


def test_its_domains_come_along_an_address_of_ipv6_among_them(initech: House) -> None:
    from foretell.tenants.models import Domain

    with use_public():
        for domain in ("::1", "models.initech.example"):
            Domain.objects.create(tenant=initech.tenant, domain=domain, is_primary=False)
    tenant = moved(exported(initech)).arrived.tenant

    with use_public():
        assert sorted(tenant.domains.values_list("domain", flat=True)) == [
            "::1",
            "initech.localhost",
            "models.initech.example",
        ]


def test_a_tenant_that_is_here_already_is_not_overwritten(initech: House) -> None:
    before = rows_of(initech.tenant)

    with pytest.raises(TenantExists, match="here already"):
        import_tenant(file=io.BytesIO(exported(initech)), now=timezone.now())

    assert rows_of(initech.tenant) == before


def truncated_rows(found: dict[str, bytes]) -> None:
    name = next(name for name in found if name.startswith("tables/accounts_user/"))
    found[name] = found[name].replace(b"michael", b"mallory")


def put_in(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    """Return what adds a file, before the manifest, which does not list it."""

    def change(found: dict[str, bytes]) -> None:
        manifest = found.pop("manifest.json")
        found.update({name: content, "manifest.json": manifest})

    return change


def replace_in_head(old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(found: dict[str, bytes]) -> None:
        found["foretell.json"] = found["foretell.json"].replace(old, new)

    return change


def first(found: dict[str, bytes], beginning: str) -> str:
    return next(name for name in found if name.startswith(beginning))


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "no manifest": (lambda found: found.pop("manifest.json"), "before its manifest"),
    "a changed row": (truncated_rows, "not as its manifest says"),
    "a part that is missing": (
        lambda found: found.pop(first(found, "tables/accounts_user/")),
        "cannot be kept|not as its manifest",
    ),
    "a file too many": (put_in("../../etc/passwd", b"x"), "no archive"),
    "a table that is none": (put_in("tables/pg_authid/000001.jsonl", b"{}"), "do not have here"),
    "rows too many": (put_in("tables/accounts_apikey/000099.jsonl", b""), "not as its manifest"),
    "rows that are none": (put_in("tables/accounts_apikey/000098.jsonl", b'{"key_id": 1'), "cannot be kept"),
    "rows of others": (put_in("tables/accounts_apikey/000097.jsonl", b'{"key_id": "x"}'), "cannot be kept"),
    "other bytes of an artifact": (lambda found: found.update({first(found, "artifacts/"): b"evil"}), "other bytes"),
    "another format": (replace_in_head(b'"format": 1', b'"format": 9'), "format 9"),
    "other migrations": (replace_in_head(b"0001_initial", b"0001_other"), "migrations"),
    "no head": (lambda found: found.pop("foretell.json"), "does not begin"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_on_its_way_is_refused_and_leaves_nothing(initech: House, change: str) -> None:
    from foretell.tenants.models import Tenant

    alter, words = CHANGES[change]
    archive = rewritten(exported(initech), alter)
    delete_tenant(tenant=initech.tenant)
    before = set(settings.ARTIFACT_ROOT.iterdir())

    with pytest.raises(ArchiveRefused, match=words):
        import_tenant(file=io.BytesIO(archive), now=timezone.now())

    with use_public():
        assert not Tenant.objects.filter(pk=initech.tenant.pk).exists()
    assert set(settings.ARTIFACT_ROOT.iterdir()) == before


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_what_was_cut_short_is_refused(initech: House, share: float) -> None:
    archive = exported(initech)
    delete_tenant(tenant=initech.tenant)

    with pytest.raises(ArchiveRefused):
        import_tenant(file=io.BytesIO(archive[: int(len(archive) * share)]), now=timezone.now())


def test_what_is_no_archive_is_refused(only_the_cast: None) -> None:
    for content in (b"", b"x" * 10_000, b"PK\x03\x04" + bytes(600)):
        with pytest.raises(ArchiveRefused):
            import_tenant(file=io.BytesIO(content), now=timezone.now())


def test_the_command_line_moves_a_tenant(
    initech: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from foretell.cli import app as cli

    def run(*arguments: str) -> Any:
        monkeypatch.setattr("sys.argv", ["foretell", *arguments, "--json"])
        with pytest.raises(SystemExit) as ended:
            cli.run()
        assert not ended.value.code
        return json.loads(capsys.readouterr().out)

    file = tmp_path / "initech.tar.gz"
    written = run("tenant", "export", "initech", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    delete_tenant(tenant=initech.tenant)

    read = run("tenant", "import", str(file))

    assert written["files"] > 10
    assert (read["name"], read["same_secret_key"], read["id"]) == ("initech", True, str(initech.tenant.pk))
