"""The database away: what is known is served, and a process that starts then begins from the snapshot."""

import asyncio
import threading
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django.db
import msgspec
import pytest
from django.utils import timezone

from foretell.asgi import ASGIApp, Receive, Scope, Send
from foretell.config import readiness
from foretell.core.cross_origin.models import AllowedOrigin
from foretell.core.health import Health
from foretell.core.tenancy import use_public
from foretell.gateway.away import DatabaseAway
from foretell.gateway.keeping import snapshot_of
from foretell.gateway.lane import Gateway, WhenKnown
from foretell.gateway.listening import Listener
from foretell.gateway.rows import unpacked
from foretell.gateway.signed_files import FileRefused
from foretell.gateway.snapshot import PURPOSE, read_snapshot
from foretell.inference.loaded_models import LoadedModels
from foretell.tenants.models import Revision
from tests.cast import House
from tests.gateway.conftest import Away, Begin, Until, entry
from tests.models import ready_sum_model


@pytest.fixture
def kept(acme: House, begin: Begin, until: Until, home: Path) -> Path:
    """A snapshot with a model that nobody has asked yet."""
    ready_sum_model(acme)
    gateway = begin()
    until(lambda: list((home / "versions" / str(acme.tenant.id)).glob("*-*")))
    gateway.end()
    return home / "snapshot"


def test_a_process_that_starts_then_knows_its_tenants_and_loads_their_versions(
    acme: House, kept: Path, away: Away, until: Until
) -> None:
    gateway = Gateway(loaded=LoadedModels())

    with away():
        gateway.begin()
        tenant = entry(gateway, acme)
        model = tenant.models["sum"]
        loaded = asyncio.run(gateway.models.load(tenant, model, model.versions[1]))
        assert [item.name for item in loaded.signature.inputs] == ["a", "b"]
        until(lambda: gateway.is_cut_off)
        assert gateway.trouble() is not None

    gateway.models.give_back(tenant, model.versions[1])
    until(lambda: gateway.trouble() is None)
    gateway.end()


def test_without_a_snapshot_nothing_is_known_and_django_is_asked(
    cast: object, away: Away, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr("foretell.gateway.lane.FIRST_READING_S", 0.1)
    gateway = Gateway(loaded=LoadedModels())

    with away():
        gateway.begin()
        assert not gateway.is_serving
        with pytest.raises(django.db.OperationalError):
            gateway.refresh()
    gateway.end()


def test_a_version_that_was_never_described_says_that_the_database_is_away(
    acme: House, gateway: Gateway, away: Away
) -> None:
    ready_sum_model(acme)
    gateway.refresh()
    tenant = entry(gateway, acme)
    model = tenant.models["sum"]
    gateway._keeper._descriptions.forget(tenant)

    with away(), pytest.raises(DatabaseAway):
        asyncio.run(gateway.models.load(tenant, model, model.versions[1]))


def test_a_snapshot_that_was_tampered_with_is_refused(kept: Path) -> None:
    content = bytearray(kept.read_bytes())
    content[-5] ^= 1
    kept.write_bytes(content)

    assert snapshot_of(kept.parent) is None


def test_a_snapshot_of_another_installation_is_refused(kept: Path, settings_key: None) -> None:
    assert snapshot_of(kept.parent) is None


def test_a_snapshot_that_is_too_old_or_of_tomorrow_is_refused(kept: Path) -> None:
    now = timezone.now()

    assert read_snapshot(kept, now=now + timedelta(hours=23))
    for then in (now + timedelta(hours=25), now - timedelta(hours=1)):
        with pytest.raises(FileRefused):
            read_snapshot(kept, now=then)


def test_a_snapshot_whose_rows_are_another_releases_is_not_served_from(kept: Path) -> None:
    from foretell.gateway.signed_files import write_signed

    rows = msgspec.msgpack.encode(["an", "older", "shape"])
    content = msgspec.msgpack.encode([timezone.now().timestamp(), [(1, rows)]])
    write_signed(kept, content, purpose=PURPOSE)
    gateway = Gateway(loaded=LoadedModels())

    assert not gateway._keeper.load(gateway.catalogue)
    assert not gateway.is_serving
    gateway.end()


def test_rows_that_lack_what_this_release_knows_are_served_from_until_they_can_be_read_anew(
    acme: House, kept: Path, away: Away, until: Until
) -> None:
    from foretell.gateway.signed_files import write_signed

    with acme.inside():
        AllowedOrigin.objects.create(origin="https://app.example.com")
    (number, rows), *_ = [one for one in read_snapshot(kept, now=timezone.now()) if unpacked(one[1]).name == "acme"]
    with use_public():
        current = Revision.objects.get(schema_name=acme.tenant.schema_name).number
    lacking = msgspec.msgpack.encode(msgspec.msgpack.decode(rows)[:-1])
    content = msgspec.msgpack.encode([timezone.now().timestamp(), [(current, lacking)]])
    write_signed(kept, content, purpose=PURPOSE)
    gateway = Gateway(loaded=LoadedModels())

    with away():
        gateway.begin()
        assert (number < current, entry(gateway, acme).origins) == (True, frozenset())
    until(lambda: entry(gateway, acme).origins == {"https://app.example.com"})
    gateway.end()


def test_only_its_owner_reads_it(kept: Path) -> None:
    assert kept.stat().st_mode & 0o077 == 0


def test_a_description_that_was_tampered_with_is_not_used(acme: House, gateway: Gateway) -> None:
    version = ready_sum_model(acme)
    gateway.refresh()
    tenant = entry(gateway, acme)
    model = tenant.models["sum"]
    store = gateway._keeper._descriptions
    path = next((store._directory / tenant.id).glob("*-*"))
    path.write_bytes(path.read_bytes().replace(b'"a"', b'"z"'))

    row = store.row(tenant, model, model.versions[1])

    assert row.signature == version.signature
    assert b'"a"' in path.read_bytes(), "it is written anew, from the database"


def test_a_description_of_another_tenant_is_not_used(acme: House, globex: House, gateway: Gateway) -> None:
    ready_sum_model(acme)
    theirs = ready_sum_model(globex, by="carol")
    gateway.refresh()
    store, tenant = gateway._keeper._descriptions, entry(gateway, globex)
    ours = next((store._directory / str(acme.tenant.id)).glob("*-*"))
    path = next((store._directory / tenant.id).glob("*-*"))
    path.write_bytes(ours.read_bytes())

    model = tenant.models["sum"]

    assert store.row(tenant, model, model.versions[1]).seal == theirs.seal


def test_files_of_versions_that_are_gone_go_too(acme: House, gateway: Gateway) -> None:
    from foretell.registry.models import Alias, ModelVersion

    ready_sum_model(acme)
    gateway.refresh()
    directory = gateway._keeper._descriptions._directory / str(acme.tenant.id)
    assert len(list(directory.iterdir())) == 1

    with acme.inside():
        Alias.objects.all().delete()
        ModelVersion.objects.all().delete()
    gateway.refresh()

    assert list(directory.iterdir()) == []


def test_the_probe_says_degraded_and_does_not_wait_for_the_database(
    gateway: Gateway, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "gateway", lambda: gateway)
    probe = Health(nowhere, required=readiness.REQUIRED, advisory=readiness.ADVISORY)

    with away():
        gateway.catalogue.is_cut_off = True
        status, body = probe.readiness()

    assert (status, body["status"]) == (200, "degraded")
    assert {"predictions": "ok", "database": readiness.AWAY}.items() <= dict(body["checks"]).items()  # type: ignore[call-overload]  # JSON


def test_the_probe_says_unavailable_where_there_is_nothing_to_serve_from(
    away: Away, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    gateway = Gateway(loaded=LoadedModels())
    monkeypatch.setattr(readiness, "gateway", lambda: gateway)

    with away():
        status, _ = Health(nowhere, required=readiness.REQUIRED, advisory=readiness.ADVISORY).readiness()

    assert status == 503
    gateway.end()


def test_a_database_that_hangs_is_away_too_until_it_answers(
    begin: Begin, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    answers.set()
    ask = Listener.numbers

    def numbers(listener: Listener) -> dict[str, int]:
        answers.wait(20)
        return ask(listener)

    monkeypatch.setattr("foretell.gateway.catalogue.SILENCE_S", 0.2)
    monkeypatch.setattr(Listener, "numbers", numbers)
    gateway = begin()
    until(lambda: gateway.is_serving)

    answers.clear()
    until(lambda: gateway.is_cut_off)
    answers.set()

    until(lambda: not gateway.is_cut_off)


def test_a_question_that_was_answered_is_no_silence(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: nobody has asked for a while, and nothing is the matter."""
    monkeypatch.setattr("foretell.gateway.catalogue.SILENCE_S", -1.0)

    assert not gateway.is_cut_off
    with gateway.catalogue.asking():
        assert gateway.is_cut_off


def test_a_start_without_the_database_waits_for_no_more_than_one_attempt(
    kept: Path, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway(loaded=LoadedModels())
    monkeypatch.setattr("foretell.gateway.lane.CATCHING_UP_S", 60.0)

    with away():
        gateway.begin()  # a test that takes a minute has failed: the attempt was over at once
        assert gateway._follower._has_tried.is_set()
    gateway.end()


def test_requests_go_to_django_until_every_tenant_is_known(gateway: Gateway, home: Path) -> None:
    unknown = Gateway(loaded=LoadedModels())
    went: list[str] = []

    def end(name: str) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            went.append(name)

        return app

    for one in (unknown, gateway):
        asyncio.run(finished(WhenKnown(end("lane"), end("django"), one)({"type": "http"}, never, never)))

    assert went == ["django", "lane"]
    unknown.end()


def test_a_tenant_that_was_read_is_the_lanes_while_others_are_not_yet(gateway: Gateway) -> None:
    gateway.catalogue.is_complete = False
    went: list[str] = []

    def end(name: str) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            went.append(name)

        return app

    when_known = WhenKnown(end("lane"), end("django"), gateway)
    for path, hosts in (
        ("/", [b"acme.localhost:80"]),
        ("/t/acme/x", []),
        ("/", [b"later.localhost"]),
        ("/", [b"a", b"b"]),
    ):
        scope = {"type": "http", "path": path, "headers": [(b"host", host) for host in hosts]}
        asyncio.run(finished(when_known(scope, never, never)))

    assert went == ["lane", "lane", "django", "django"]


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("a probe went on to the application")


async def never(*_: Any) -> Any:
    raise AssertionError("nobody asks for the body")


@pytest.fixture
def settings_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "SECRET_KEY", "another secret, of another installation")


async def finished(work: Awaitable[None]) -> None:
    await work
