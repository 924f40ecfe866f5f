"""Closed-loop load over raw connections: each sends its next request when it has the answer to the last one. No HTTP library in the way."""

import asyncio
import errno
import select
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass
class Outcome:
    """What became of the requests.

    failed : by what the client saw; connections that were refused are told apart, since no request was on them.
    """

    answered: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    wrong: int = 0
    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(self.answered.values())


def request(path: str, *, host: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join(lines).encode() + HEAD_END + body


class Client:
    """One caller with one connection at a time, as a well-behaved pool uses it: closed by the server, it opens another."""

    def __init__(
        self, port: int, message: bytes, outcome: Outcome, *, think_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.port, self.message, self.outcome, self.think_s = port, message, outcome, think_s
        self.expected: bytes | None = None
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def run(self, is_over: Callable[[], bool]) -> None:
        while not is_over():
            pause = self.think_s()
            if pause:
                await asyncio.sleep(pause)
            if not await self._connected():
                continue
            began = time.perf_counter()
            await self._ask()
            self.outcome.latencies_s.append(time.perf_counter() - began)
        self._close()

    async def _connected(self) -> bool:
        """Have a connection that the server has not closed, as a pool looks before it uses one again."""
        if self.writer is not None and not _is_readable(self.writer):
            return True
        self._close()
        try:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError as err:
            if err.errno == errno.ECONNREFUSED:
                self.outcome.refused += 1
                await asyncio.sleep(0.01)
            else:
                self.outcome.failed[f"connect: {type(err).__name__}"] += 1
            return False
        return True

    async def _ask(self) -> None:
        assert self.reader is not None
        assert self.writer is not None
        stage = "sent"
        try:
            self.writer.write(self.message)
            head = await self.reader.readuntil(HEAD_END)
            stage = "head read"
            body = await self.reader.readexactly(_length(head))
        except (OSError, asyncio.IncompleteReadError) as err:
            self.outcome.failed[f"{stage}: {type(err).__name__}"] += 1
            self._close()
            return
        self._note(int(head[9:12]), body)
        if b"connection: close" in head.lower():
            self._close()

    def _note(self, status: int, body: bytes) -> None:
        self.outcome.answered[status] += 1
        if self.expected is not None and body != self.expected:
            self.outcome.wrong += 1

    def _close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def load(
    port: int, message: bytes, *, connections: int, is_over: Callable[[], bool], outcome: Outcome | None = None,
    think_s: Callable[[], float] = lambda: 0.0, expected: bytes | None = None,
) -> Outcome:  # fmt: skip
    """Ask over so many connections until it is over."""
    outcome = outcome or Outcome()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            client = Client(port, message, outcome, think_s=think_s)
            client.expected = expected
            group.create_task(client.run(is_over))
    outcome.seconds = time.perf_counter() - began
    return outcome


def after(seconds: float) -> Callable[[], bool]:
    """Return a question: is so much time over?"""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _is_readable(writer: asyncio.StreamWriter) -> bool:
    """Whether the server has said anything that nobody asked for, such as that it closes; asked of the kernel, as httpx and urllib3 do."""
    if writer.is_closing():
        return True
    poll = select.poll()
    poll.register(writer.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(LENGTH)
    if at < 0:
        return 0
    return int(lowered[at + len(LENGTH) : lowered.index(b"\r\n", at)])
