"""The load, in a process of its own: reads a job as JSON from stdin, writes what came of it as JSON.

A lean protocol on uvloop: one request in flight per connection, no HTTP library, every answer checked. Closed loop: a connection asks
again when it has its answer. Open loop (`rate`): requests are due at fixed times whatever the server does, and a latency counts from
when the request was due, so a server that falls behind cannot hide it.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, cast

import uvloop
from answers import missing

GRACE_S = 2.0


@dataclass
class Load:
    port: int
    messages: list[bytes]  # asked in turns
    needles: list[bytes]  # every right answer has one of them
    connections: int
    seconds: float
    rate: float | None = None
    latencies_s: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    end: float = 0.0
    due: deque[float] = field(default_factory=deque)  # open loop: requests that no connection was free for
    idle: list["Connection"] = field(default_factory=list)
    unanswered: int = 0
    asked: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def next_message(self) -> bytes:
        self.asked += 1
        return self.messages[self.asked % len(self.messages)]

    @property
    def in_flight(self) -> int:
        """Requests that were sent, and have no answer and no error yet."""
        return self.asked - sum(self.statuses.values()) + self.statuses["refused"]

    def is_right(self, answer: bytes) -> bool:
        return any(needle in answer for needle in self.needles)

    def stop(self) -> None:
        self.end = 0.0
        self.over.set()

    def next_due(self, now: float) -> float | None:
        """Return when the next request of a connection is due, if there is one."""
        if self.rate is not None:
            return self.due.popleft() if self.due else None
        return now if now < self.end else None


class Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self.load, self.buffer, self.due = load, b"", 0.0
        self.missing: int | None = None
        self.is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def ask(self, due: float) -> None:
        self.due, self.is_busy = due, True
        self.transport.write(self.load.next_message())

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        self.missing = self.missing - len(data) if self.missing else missing(self.buffer)
        if self.missing == 0:
            self.answered()

    def answered(self) -> None:
        load, now = self.load, time.perf_counter()
        load.latencies_s.append(now - self.due)
        status = self.buffer[9:12]
        if status == b"200" and load.is_right(self.buffer):
            load.statuses["200"] += 1
        else:
            load.wrong += status == b"200"
            load.statuses[status.decode("latin-1")] += 1
        self.buffer, self.missing, self.is_busy = b"", None, False
        due = load.next_due(now)
        if due is not None:
            self.ask(due)
        elif load.rate is not None:
            load.idle.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        """A server may close an idle connection; one that it closes over a request is an error. Another is opened for it."""
        if self.is_busy:
            self.load.statuses["closed"] += 1
        if self in self.load.idle:
            self.load.idle.remove(self)
        if time.perf_counter() < self.load.end:
            asyncio.get_running_loop().create_task(connect(self.load))


async def connect(load: Load) -> None:
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(load), "127.0.0.1", load.port
        )
    except OSError:
        load.statuses["refused"] += 1
        return
    due = load.next_due(time.perf_counter())
    if due is not None:
        connection.ask(due)
    elif load.rate is not None:
        load.idle.append(connection)


async def run(load: Load) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    load.end = began + load.seconds
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, load.stop)
    await asyncio.gather(*(connect(load) for _ in range(load.connections)))
    if load.rate is not None:
        await arrivals(load, began)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(load.over.wait(), max(0.0, load.end - time.perf_counter()))
    answered, right, seconds = sum(load.statuses.values()), load.statuses["200"], time.perf_counter() - began
    cpu = time.process_time() - cpu
    await asyncio.sleep(0.05 if load.rate is None else min(GRACE_S, 0.05 + len(load.due)))
    load.unanswered = len(load.due) + (load.in_flight if load.rate is not None else 0)
    found = sorted(load.latencies_s) or [float("nan")]
    return {
        "answered": answered, "right": right, "seconds": seconds, "statuses": dict(load.statuses), "wrong": load.wrong,
        "unanswered": load.unanswered, "generator_busy": cpu / seconds,
        "p50_ms": found[len(found) // 2] * 1e3, "p99_ms": found[min(len(found) - 1, int(len(found) * 0.99))] * 1e3,
    }  # fmt: skip


async def arrivals(load: Load, began: float) -> None:
    """Let requests be due at their times, even when this process wakes up late."""
    assert load.rate is not None
    for number in range(int(load.rate * load.seconds)):
        due = began + number / load.rate
        pause = due - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        if load.idle:
            load.idle.pop().ask(due)
        else:
            load.due.append(due)


if __name__ == "__main__":
    job = json.loads(sys.stdin.read())
    job |= {name: [each.encode("latin-1") for each in job[name]] for name in ("messages", "needles")}
    print(json.dumps(uvloop.run(run(Load(**job)))))
