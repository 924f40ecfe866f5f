"""One web process: uvicorn with our protocols, a pulse, and an end that loses nothing."""

import asyncio
import contextlib
import gc
import importlib.util
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn

from foretell.webserver.bounds import Bounds
from foretell.webserver.overload import Load, load
from foretell.webserver.protocol import Protocol
from foretell.webserver.state import State
from foretell.webserver.websocket import WebSocketProtocol

log = logging.getLogger(__name__)

STOPS = (signal.SIGTERM, signal.SIGINT)
ANNOUNCES = signal.SIGUSR1  # the readiness probe says no from here on; the process goes on serving
LIFESPAN_S = 5.0
LAST_WORDS_S = 0.2
LOOK_S = 0.05
# How long one of Django's threads keeps the interpreter from the event loop, which answers predictions; Python's own 5 ms are long
# where many of them have work at once, such as a burst of sign-ins.
SWITCH_S = 0.001


def serve(
    app: str | Callable[..., Any], listener: socket.socket, *, bounds: Bounds, on_ready: Callable[[], None]
) -> None:
    """Serve an ASGI application, or the one that is named ``module:attribute``, until SIGTERM.

    `on_ready` is called once when connections are accepted.
    """
    Server(configured(app, bounds), bounds, load=load, on_ready=on_ready).run(sockets=[listener])


def configured(app: str | Callable[..., Any], bounds: Bounds, **others: Any) -> uvicorn.Config:
    options: dict[str, Any] = {
        "log_config": None, "log_level": "warning", "access_log": False, "server_header": False, "proxy_headers": False, "lifespan": "on",
        "loop": "uvloop" if importlib.util.find_spec("uvloop") else "auto",
        "interface": "asgi3", "http": Protocol, "ws": WebSocketProtocol, "ws_max_size": bounds.max_message_bytes,
        "ws_ping_interval": 20.0, "ws_ping_timeout": 20.0,
        "ws_per_message_deflate": False,  # Security: a few bytes could unfold to many; rows are small as they are
    }  # fmt: skip
    return uvicorn.Config(app, **options | others)


class Server(uvicorn.Server):
    """Serves until a signal, then stops in order: listens no more, answers what came, lets the application put away what it holds.

    SIGTERM stops; a second one leaves what is under way `Bounds.haste_s`. SIGUSR1 announces a stop, without one.
    """

    def __init__(
        self, config: uvicorn.Config, bounds: Bounds, *, load: Load, on_ready: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self.bounds, self.load, self.on_ready = bounds, load, on_ready
        self.state = State(bounds, load)
        self.server_state = self.state
        self.finish_by = float("inf")
        self._pulse: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._pulse = asyncio.create_task(self.load.beat(self.state.sweep))
        await self.on_tick(0)  # the Date header, before the first answer
        leave_to_the_collector_only_what_comes()
        sys.setswitchinterval(SWITCH_S)
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.finish_by = time.monotonic() + (self.bounds.haste_s if self.force_exit else self.bounds.finish_s)
        await self._until(lambda: False, within_s=self.bounds.accept_s)
        self._stop_listening(sockets or [])
        self.state.leave(time.monotonic())
        await self._until(lambda: not (self.state.connections or self.state.tasks), within_s=float("inf"))
        await self._cut_off_the_rest()
        await self._end_lifespan()
        if self._pulse is not None:
            self._pulse.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
            self.finish_by = min(self.finish_by, time.monotonic() + self.bounds.haste_s)
        self.should_exit = True

    def announce(self, sig: int, frame: FrameType | None) -> None:
        self.load.is_leaving = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn, end with exit code 0 after a stop that was asked for."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = dict.fromkeys(STOPS, self.handle_exit) | {ANNOUNCES: self.announce}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _stop_listening(self, sockets: list[socket.socket]) -> None:
        """Leave the socket to its owner: it lives on in the supervisor and in the other processes, which take what waits there."""
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()

    async def _until(self, is_so: Callable[[], bool], *, within_s: float) -> None:
        """Wait for something, for so long, and not beyond the deadline of the stop."""
        deadline = time.monotonic() + within_s
        while not is_so() and time.monotonic() < min(deadline, self.finish_by):  # noqa: ASYNC110  nobody tells us
            await asyncio.sleep(LOOK_S)

    async def _cut_off_the_rest(self) -> None:
        """Tell whoever is still waiting that nothing comes, as far as they can be told."""
        tasks = list(self.state.tasks)
        if tasks:
            log.warning("%s requests were cut off at the end of a stop", len(tasks))
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_WORDS_S)
        for connection in self.state.governed():
            connection.cut_off()
        await asyncio.sleep(LAST_WORDS_S if self.state.connections else 0)
        for connection in self.state.governed():
            connection.abort()

    async def _end_lifespan(self) -> None:
        """Let the application put away what it holds, even in haste: logs are flushed here."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.lifespan.shutdown(), LIFESPAN_S)


def leave_to_the_collector_only_what_comes() -> None:
    """Freeze what the start has made, which stays for good.

    Optimization: a full collection that looked at all of it would stop somebody's request for tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
