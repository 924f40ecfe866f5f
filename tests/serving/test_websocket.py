"""Predictions over a WebSocket: in order, through the same door as a request, and closed with a code that says why."""

import asyncio
import json
from typing import Any

import pytest

from foretell.serving import websocket
from tests.serving.world import MAX_BODY_BYTES, World, limited, principal

PATH = "/ws/v1/models/sum/predict/"
ROW = {"a": 1, "b": 2}


class Connection:
    """Both ends of one stream: what the client says, and what it hears."""

    def __init__(self, world: World, *, path: str = PATH, host: str = "acme.localhost", **headers: str) -> None:
        pairs = [(b"host", host.encode()), *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items())]
        self.scope: dict[str, Any] = {
            "type": "websocket", "path": path, "headers": pairs, "client": ("127.0.0.1", 5000),
            "extensions": {"websocket.http.response": {}},
        }  # fmt: skip
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.heard: list[dict[str, Any]] = []
        self.lane = world.lane

    async def play(self, *messages: Any) -> "Connection":
        """Connect, say all messages, hang up; return when the other end is done."""
        self.said.put_nowait({"type": "websocket.connect"})
        for message in messages:
            text = message if isinstance(message, str) else json.dumps(message)
            self.said.put_nowait({"type": "websocket.receive", "text": text})
        self.said.put_nowait({"type": "websocket.disconnect", "code": 1000})

        async def send(message: Any) -> None:
            self.heard.append(dict(message))

        async with asyncio.timeout(5):
            await self.lane(self.scope, self.said.get, send)
        return self

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(message["text"]) for message in self.heard if message["type"] == "websocket.send"]

    @property
    def closed_with(self) -> int | None:
        return next((message["code"] for message in self.heard if message["type"] == "websocket.close"), None)


def stream(world: World, *messages: Any, person: str | None = "alice", **options: str) -> Connection:
    if person is not None:
        options["authorization"] = f"Bearer {world.shown[person]}"
    return asyncio.run(Connection(world, **options).play(*messages))


def test_each_message_is_answered_in_its_turn(world: World) -> None:
    stream_ = stream(world, ROW, {"instances": [[1, 1], [2, 2]]}, {"a": 5, "b": 5})

    assert stream_.heard[0] == {"type": "websocket.accept"}
    assert [answer.get("prediction", answer.get("predictions")) for answer in stream_.answers] == [
        3.0,
        [2.0, 4.0],
        10.0,
    ]
    assert [record.face for record in world.log.records] == ["websocket"] * 3
    assert stream_.closed_with is None


@pytest.mark.parametrize(
    "path", ["/t/acme" + PATH, PATH[:-1], "/ws/v1/models/sum@champion/predict/", "/ws/v1/models/sum/versions/1/predict"]
)
def test_every_address_of_a_version_has_its_stream(world: World, path: str) -> None:
    assert stream(world, ROW, path=path).answers[0]["prediction"] == 3.0


def test_a_bad_message_is_answered_with_its_problem_and_the_stream_goes_on(world: World) -> None:
    answers = stream(world, "{", {"a": "1", "b": 2}, ROW).answers

    assert [answer.get("status") for answer in answers] == [400, 400, None]
    assert answers[1]["errors"][0]["attr"] == "a"


def test_a_page_introduces_itself_in_its_first_message(world: World) -> None:
    first = {"authorization": f"Bearer {world.shown['alice']}"}

    assert stream(world, first, ROW, person=None, origin="http://acme.localhost").answers[0]["prediction"] == 3.0


def test_a_page_of_the_tenants_own_has_its_session(world: World) -> None:
    own = {"origin": "http://acme.localhost", "cookie": "session=alice"}

    assert stream(world, ROW, person=None, **own).answers[0]["prediction"] == 3.0
    assert stream(world, ROW, person=None, cookie="session=alice").closed_with == 4401  # no page: no origin
    assert stream(world, ROW, person=None, **{**own, "origin": "http://evil.example"}).heard[0]["status"] == 403
    assert stream(world, ROW, person=None, **{**own, "cookie": "session=nobody"}).heard[0]["status"] == 401


@pytest.mark.parametrize("first", [{"authorization": "Bearer nonsense"}, {"hello": 1}, "rubbish", ROW])
def test_who_does_not_introduce_itself_is_closed(world: World, first: Any) -> None:
    ended = stream(world, first, ROW, person=None)

    assert ended.closed_with == 4401
    assert [answer["status"] for answer in ended.answers] == [401]


def test_who_says_nothing_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "FIRST_MESSAGE_WITHIN_S", 0.02)
    connection = Connection(world)

    async def silent() -> None:
        connection.said.put_nowait({"type": "websocket.connect"})

        async def send(message: Any) -> None:
            connection.heard.append(dict(message))

        async with asyncio.timeout(5):
            await connection.lane(connection.scope, connection.said.get, send)

    asyncio.run(silent())

    assert connection.closed_with == 4401


@pytest.mark.parametrize(
    ("person", "options", "status"),
    [("carol", {}, 401), ("bob", {}, 403), ("bob", {"path": "/ws/v1/models/nothing/predict/"}, 403), ("alice", {"host": "nobody.localhost"}, 404), ("alice", {"host": "operators.localhost", "path": f"/t/acme{PATH}"}, 404), ("alice", {"origin": "http://evil.example"}, 403),
     ("alice", {"origin": "null"}, 403), ("alice", {"path": "/ws/v1/models/nothing/predict/"}, 404)],
)  # fmt: skip
def test_a_handshake_is_refused_with_a_problem(world: World, person: str, options: dict[str, str], status: int) -> None:
    heard = stream(world, ROW, person=person, **options).heard

    assert heard[0]["type"] == "websocket.http.response.start"
    assert heard[0]["status"] == status
    assert json.loads(heard[1]["body"])["status"] == status


def test_who_introduces_itself_and_may_not_predict_is_told_so_at_once(world: World) -> None:
    introduction = {"authorization": f"Bearer {world.shown['bob']}"}

    assert stream(world, introduction, person=None).closed_with == 4403


def test_a_revoked_key_ends_the_stream_at_the_next_message(world: World) -> None:
    connection = Connection(world, authorization=f"Bearer {world.shown['alice']}")
    answered = asyncio.Event()

    async def send(message: Any) -> None:
        connection.heard.append(dict(message))
        if message["type"] == "websocket.send":
            answered.set()

    async def revoked_on_the_way() -> None:
        connection.said.put_nowait({"type": "websocket.connect"})
        connection.said.put_nowait({"type": "websocket.receive", "text": json.dumps(ROW)})
        running = asyncio.ensure_future(connection.lane(connection.scope, connection.said.get, send))
        await asyncio.wait_for(answered.wait(), 5)
        world.change("acme", keys={})
        connection.said.put_nowait({"type": "websocket.receive", "text": json.dumps(ROW)})
        await asyncio.wait_for(running, 5)

    asyncio.run(revoked_on_the_way())

    assert connection.answers[0]["prediction"] == 3.0
    assert connection.closed_with == 4401


def test_limits_hold_for_each_message(world: World) -> None:
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    slow = principal("acme", "alice", claims=(limited("acme", "alice", "2/min"),))
    world.change("acme", keys={name: key.__class__(key.digest, slow) for name, key in tenant.keys.items()})

    answers = stream(world, ROW, ROW, ROW).answers

    assert [answer.get("status") for answer in answers] == [None, None, 429]
    assert answers[2]["retry_after"] >= 1


def test_a_message_that_is_too_large_ends_the_stream(world: World) -> None:
    assert stream(world, "x" * (MAX_BODY_BYTES + 1)).closed_with == 1009


def test_a_client_that_goes_away_in_the_middle_is_nobodys_error(world: World) -> None:
    connection = Connection(world, authorization=f"Bearer {world.shown['alice']}")

    async def gone(message: Any) -> None:
        if message["type"] == "websocket.send":
            raise ConnectionResetError

    async def scenario() -> None:
        connection.said.put_nowait({"type": "websocket.connect"})
        connection.said.put_nowait({"type": "websocket.receive", "text": json.dumps(ROW)})
        async with asyncio.timeout(5):
            await connection.lane(connection.scope, connection.said.get, gone)

    asyncio.run(scenario())

    assert set(world.models.lent.values()) == {0}


def test_other_streams_are_not_its_business(world: World) -> None:
    assert stream(world, path="/ws/v1/other/").heard == [{"type": "websocket.close", "code": 1000}]
