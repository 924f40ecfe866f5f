"""The lane behind our own server, over one connection: whatever goes wrong with a request, the next one is answered as ever."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from foretell.limits.table_files import TableFull
from foretell.segments.errors import LogUnavailable
from foretell.serving.scheduling import Overloaded
from foretell.webserver.lifespan import Lifespan
from tests.serving.world import World
from tests.webserver.servers import Served, Wire, served

ROW = b'{"a": 1, "b": 2}'


@pytest.fixture
def server(world: World) -> Iterator[Served]:
    with served(Lifespan(world.lane, is_eager=True)) as running:
        yield running


def asked(key: str, body: bytes = ROW, *, more: bytes = b"") -> bytes:
    head = b"POST /api/v1/models/sum/predict/ HTTP/1.1\r\nHost: acme.localhost\r\nContent-Type: application/json\r\n"
    return head + b"X-API-Key: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (key.encode(), more, len(body), body)


def statuses(wire: Wire, *requests: bytes) -> list[int]:
    found = []
    for request in requests:
        wire.send(request)
        found.append(wire.answer().status)
    return found


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


FAILURES: list[tuple[str, str, Exception, int]] = [
    ("log", "append", LogUnavailable("no space"), 503),
    ("limiter", "take", TableFull(Path("limits"), "no space"), 503),
    ("models", "lend", Overloaded(), 503),
    ("models", "lend", LookupError("a secret"), 500),
]


@pytest.mark.parametrize(("port", "method", "error", "status"), FAILURES)
def test_what_fails_under_one_request_is_its_own_answer_and_nothing_is_kept_of_it(
    world: World, server: Served, monkeypatch: pytest.MonkeyPatch, port: str, method: str, error: Exception, status: int
) -> None:
    request, wire = asked(world.shown["alice"]), server.wire()
    assert statuses(wire, request, request) == [200, 200]

    with monkeypatch.context() as broken:
        broken.setattr(getattr(world, port), method, raising(error))
        wire.send(request)
        answer = wire.answer()

    assert answer.problem["status"] == answer.status == status
    assert ("retry-after" in answer.headers) == (status == 503)
    assert b"secret" not in answer.body
    assert statuses(wire, request) == [200]
    assert set(world.models.lent.values()) == {0}


def test_clients_that_share_a_connection_each_get_in_by_their_own_head(world: World, server: Served) -> None:
    """Security: as behind a proxy. What one head was let in with is never another's."""
    alice, bob, carol = (asked(world.shown[name]) for name in ("alice", "bob", "carol"))
    nobody = alice.replace(b"X-API-Key", b"X-No-Key1")

    assert statuses(server.wire(), *(alice, bob, nobody, carol) * 3) == [200, 403, 401, 401] * 3


def test_an_id_of_one_s_own_is_in_answer_and_log_and_stays_with_its_head(world: World, server: Served) -> None:
    mine, other, none = (
        asked(world.shown["alice"], more=more) for more in (b"X-Request-ID: mine\r\n", b"X-Request-ID: other\r\n", b"")
    )
    wire, answers = server.wire(), []
    for request in (mine, none, other, none, mine):
        wire.send(request)
        answers.append(wire.answer())

    ids = [answer.headers["x-request-id"] for answer in answers]
    assert (ids[0], ids[2], ids[4]) == ("mine", "other", "mine")
    assert [ids[1], ids[3]] == [json.loads(answers[at].body)["id"] for at in (1, 3)]
    assert [record.request_id for record in world.log.records] == ids


def test_a_change_of_the_tenant_is_seen_by_the_next_request_of_a_known_head(world: World, server: Served) -> None:
    request, wire = asked(world.shown["alice"]), server.wire()
    assert statuses(wire, request, request) == [200, 200]

    changes: tuple[dict[str, Any], ...] = (
        {"is_suspended": True},
        {"is_suspended": False},
        {"models": {}},
        {"keys": {}},
    )
    found = []
    for change in changes:
        world.change("acme", **change)
        found += statuses(wire, request)

    assert found == [403, 200, 404, 401]
