"""Hooks run before the first request and after the last one."""

import pytest
import uvicorn

from foretell.webserver.lifespan import Lifespan
from tests.webserver.servers import Echo, served


def test_hooks_run_in_order_around_all_requests() -> None:
    order: list[str] = []
    echo = Echo()

    async def open_log() -> None:
        order.append(f"open log, {len(echo.started)} served")

    async def fill_catalogue() -> None:
        order.append("fill catalogue")

    async def close_log() -> None:
        order.append(f"close log, {len(echo.started)} served")

    with served(Lifespan(echo, startup=[open_log, fill_catalogue], shutdown=[close_log])) as server:
        assert order == ["open log, 0 served", "fill catalogue"]
        assert server.ask().status == 200

    assert order[2:] == ["close log, 1 served"]


def test_a_failure_at_the_end_does_not_keep_the_others_from_ending(caplog: pytest.LogCaptureFixture) -> None:
    ended = []

    async def fail() -> None:
        raise OSError("disk full")

    async def close() -> None:
        ended.append(True)

    with served(Lifespan(Echo(), shutdown=[fail, close])) as server:
        server.stop()

    assert ended == [True]
    assert "disk full" in caplog.text


def test_a_failure_at_the_start_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    from foretell.webserver.bounds import Bounds
    from foretell.webserver.overload import Load
    from foretell.webserver.server import Server, configured

    async def fail() -> None:
        raise OSError("no catalogue")

    bounds = Bounds()
    server = Server(configured(Lifespan(Echo(), startup=[fail]), bounds), bounds, load=Load())

    with pytest.raises(SystemExit) as ended:
        server.run(sockets=[])

    assert ended.value.code == uvicorn.config.STARTUP_FAILURE
    assert "no catalogue" in caplog.text
