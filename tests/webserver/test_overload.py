"""A process knows how late its event loop is and how much it carries."""

import asyncio
import time

from foretell.asgi import Receive, Scope, Send
from foretell.webserver.overload import Load
from tests.webserver.servers import Echo, served, wait_until


class Blocking(Echo):
    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        time.sleep(0.3)  # noqa: ASYNC251  what nothing in a process should do
        await super()._read(scope, receive, send)


def test_a_blocked_loop_is_seen_and_remembered_until_it_is_read() -> None:
    with served(Blocking()) as server:
        assert server.ask().status == 200
        wait_until(lambda: server.load.worst_lag_s > 0.1)
        wait_until(lambda: server.load.lag_s < 0.1)

        assert server.load.take_worst_lag_s() > 0.1
        assert server.load.take_worst_lag_s() < 0.1


def test_requests_and_connections_are_counted() -> None:
    with served() as server:
        server.wire()
        server.wire(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert server.app.arrived.wait(5)

        assert (server.load.requests, server.load.connections) == (1, 2)
        server.app.let_go.set()
        wait_until(lambda: server.load.requests == 0)


def test_it_counts_nothing_where_nothing_is_served() -> None:
    assert (Load().requests, Load().connections, Load().lag_s) == (0, 0, 0.0)


def test_it_looks_ten_times_a_second() -> None:
    looks: list[float] = []

    async def beat() -> None:
        load = Load()
        task = asyncio.create_task(load.beat(looks.append))
        await asyncio.sleep(0.25)
        task.cancel()
        assert load.now == looks[-1]

    asyncio.run(beat())

    assert looks
    assert looks == sorted(looks)
