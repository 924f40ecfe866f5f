"""The probes: open to all, answered before any tenant is looked for."""

import asyncio
import threading
from http import HTTPStatus

import pytest

from foretell.asgi import Message, Receive, Scope, Send
from foretell.core.health import Check, Health
from tests.http import HttpFor


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("a probe went on to the application")


def well() -> None:
    return None


def ill() -> str:
    return "the disk is full"


def broken() -> str:
    raise RuntimeError("secret details")


def readiness(*, required: Check = well, advisory: Check = well) -> tuple[int, str, object]:
    status, body = Health(nowhere, required={"a": required}, advisory={"b": advisory}).readiness()
    return int(status), str(body["status"]), body["checks"]


def test_ready_is_200_with_a_word_for_each_check() -> None:
    assert readiness() == (200, "ok", {"a": "ok", "b": "ok"})


def test_what_predictions_need_makes_it_503_and_what_they_do_not_only_degrades_it() -> None:
    assert readiness(required=ill) == (503, "unavailable", {"a": "the disk is full", "b": "ok"})
    assert readiness(advisory=ill) == (200, "degraded", {"a": "ok", "b": "the disk is full"})


def test_a_check_that_breaks_is_a_failure_and_tells_strangers_no_details() -> None:
    status, _, checks = readiness(required=broken)

    assert (status, checks) == (503, {"a": "RuntimeError", "b": "ok"})


@pytest.mark.parametrize("host", ["acme.localhost", "nobody.example", "10.0.0.7:8000"])
def test_probes_need_no_tenant_and_no_credential(http_for: HttpFor, host: str) -> None:
    alive = http_for(None).get("/livez", headers={"Host": host})
    ready = http_for(None).get("/readyz", headers={"Host": host})

    assert (alive.status_code, alive.json()) == (HTTPStatus.OK, {"status": "ok"})
    assert ready.status_code == HTTPStatus.OK
    checks = ready.json()["checks"]
    assert [checks[name] for name in ("database", "migrations", "storage")] == ["ok", "ok", "ok"]
    assert "nothing is built" in checks["sandbox"]
    assert "no worker" in checks["worker"]


def test_a_database_that_is_away_makes_it_503(http_for: HttpFor, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from foretell.core.database_backend.base import DatabaseWrapper

    def away(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(DatabaseWrapper, "_cursor", away)

    answer = http_for(None).get("/readyz")

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["checks"]["database"] == "OperationalError"
    assert http_for(None).get("/livez").status_code == HTTPStatus.OK


def probes(health: Health, n: int) -> list[int]:
    """Return the statuses of so many probes at once."""
    statuses: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def ask() -> None:
        await asyncio.gather(*(health({"type": "http", "path": "/readyz"}, nothing, send) for _ in range(n)))

    asyncio.run(ask())
    return statuses


async def nothing() -> Message:
    raise AssertionError("a probe has no body")


def test_many_probes_are_one_look() -> None:
    looks: list[int] = []

    def looked() -> None:
        looks.append(1)

    health = Health(nowhere, required={"a": looked}, advisory={})

    assert probes(health, 20) == [200] * 20
    assert len(looks) == 1


def test_a_check_that_hangs_at_first_is_looked_at_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.core.health.DEADLINE_S", 0.1)
    ends = threading.Event()
    looks: list[int] = []

    def first_hangs() -> None:
        looks.append(1)
        if len(looks) == 1:
            ends.wait(20)

    assert probes(Health(nowhere, required={"a": first_hangs}, advisory={}), 20) == [200] * 20
    ends.set()


def test_checks_that_never_end_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.core.health.DEADLINE_S", 0.1)
    ends = threading.Event()

    def hangs() -> None:
        ends.wait(20)

    health = Health(nowhere, required={"a": hangs}, advisory={})

    assert probes(health, 3) == [503] * 3
    ends.set()
