"""A real server in a thread, and a client that says exactly what it wants, when it wants."""

import asyncio
import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from foretell.asgi import Receive, Scope, Send
from foretell.webserver.bounds import Bounds
from foretell.webserver.overload import Load
from foretell.webserver.server import Server, configured

SOON_S = 5.0  # longer than anything here takes
GOOD = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n"


class Echo:
    """Answer the length of the body; `/slow` waits until it is let go, `/early` answers before the body, `/drip` never ends."""

    def __init__(self) -> None:
        self.started: list[Scope] = []
        self.disconnects = 0
        self.ended = False
        self.arrived, self.let_go = threading.Event(), threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self.started.append(scope)
        if scope["path"] == "/early":
            await answer(send, b"early")
        elif scope["path"] == "/large":
            await answer(send, b"x" * 5_000_000)
        else:
            await self._read(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, is_whole = 0, False
        while not is_whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnects += 1
                return
            size += len(message["body"])
            is_whole = not message["more_body"]
        if scope["path"] == "/slow":
            self.arrived.set()
            await self._wait()
        await answer(send, b"%d" % size)

    async def _wait(self) -> None:
        while not self.let_go.is_set():  # noqa: ASYNC110  the event is another thread's
            await asyncio.sleep(0.005)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.ended = True
        await send({"type": "lifespan.shutdown.complete"})


async def answer(send: Send, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        body: dict[str, Any] = json.loads(self.body)
        assert body["status"] == self.status
        assert body["request_id"] == self.headers["x-request-id"]
        return body

    @property
    def is_last(self) -> bool:
        return self.headers.get("connection") == "close"


class Wire:
    """A connection, byte by byte."""

    def __init__(self, port: int, *, buffer_bytes: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
        self.socket.settimeout(SOON_S)
        self.socket.connect(("127.0.0.1", port))
        self.rest = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> Answer:
        """Read one answer."""
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers["content-length"])
        while len(self.rest) < length:
            self._more()
        body, self.rest = self.rest[:length], self.rest[length:]
        return Answer(int(status.split()[1]), headers, body)

    def ends(self) -> bool:
        """Whether the server says nothing more and closes, without resetting what it has said."""
        return self.rest == b"" and self.socket.recv(1) == b""

    def stays_open(self, *, for_s: float) -> bool:
        readable, _, _ = select.select([self.socket], [], [], for_s)
        return not readable

    def close(self) -> None:
        self.socket.close()

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        assert data, f"closed after {self.rest[:200]!r}"
        self.rest += data


@dataclass
class Served:
    """A server that runs, and its application."""

    server: Any
    app: Any
    port: int
    load: Load
    thread: threading.Thread
    wires: list[Wire] = field(default_factory=list)

    def wire(self, first: bytes = b"", **options: Any) -> Wire:
        wire = Wire(self.port, **options)
        self.wires.append(wire)
        wire.send(first)
        return wire

    def ask(self, request: bytes = GOOD) -> Answer:
        return self.wire(request).answer()

    def begin_to_stop(self) -> None:
        self.server.should_exit = True

    def stop(self) -> None:
        self.begin_to_stop()
        self.thread.join(2 * SOON_S)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def served(app: Any = None, **bounds: Any) -> Iterator[Served]:
    """Serve with our protocols, quick to look at its deadlines."""
    app, granted, load = app or Echo(), Bounds(**{"sweep_s": 0.0, "accept_s": 0.0, "linger_s": 0.3} | bounds), Load()
    with _running(lambda: Server(configured(app, granted), granted, load=load), app, load) as running:
        yield running


@contextlib.contextmanager
def stock(app: Any = None, **options: Any) -> Iterator[Served]:
    """Serve with uvicorn as it comes: the control."""
    app = app or Echo()
    config = uvicorn.Config(app, log_config=None, access_log=False, http="httptools", lifespan="on", **options)
    with _running(lambda: uvicorn.Server(config), app, Load()) as running:
        yield running


@contextlib.contextmanager
def _running(make: Callable[[], Any], app: Any, load: Load) -> Iterator[Served]:
    listener = socket.create_server(("127.0.0.1", 0))
    port, server = listener.getsockname()[1], make()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    running = Served(server, app, port, load, thread)
    try:
        wait_until(lambda: server.started)
        yield running
    finally:
        for wire in running.wires:
            wire.close()
        if hasattr(app, "let_go"):
            app.let_go.set()
        server.force_exit = True
        running.stop()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)
