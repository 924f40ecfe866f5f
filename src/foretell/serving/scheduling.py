"""Threads for what must not run on the event loop: slow models, large bodies. Bounded, and fair between tenants.

Each tenant has a queue; the tenants that wait take turns. One model holds at most half of the threads, so that a slow one never
delays another; what cannot begin soon is refused at once, with when to try again.
"""

import asyncio
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from foretell.errors import ForetellError

T = TypeVar("T")

MAX_WAITING = 256  # in all
MAX_WAITING_OF_TENANT = 64
DEADLINE_S = 15.0
RETRY_AFTER_S = 1


class Overloaded(ForetellError):
    """More waits already than can be answered in time."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__(
            "More predictions are waiting than can be answered in time. Try again in a second.",
            retry_after_s=RETRY_AFTER_S,
        )


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    model: Hashable
    future: "asyncio.Future[Any]"


class Scheduler:
    """Runs work in threads, at most `threads` at once.

    Used from one event loop; only the work itself runs elsewhere.
    """

    def __init__(self, *, threads: int | None = None, deadline_s: float = DEADLINE_S) -> None:
        self.threads = threads or max(4, 2 * (os.cpu_count() or 1))
        self.deadline_s = deadline_s
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="predict")
        self._waiting: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._running: dict[Hashable, int] = {}
        self.n_waiting = self.n_running = 0

    async def run(self, work: Callable[[], T], *, tenant: str, model: Hashable) -> T:
        """Return what `work` returns.

        Raises
        ------
        Overloaded
            at once where too many wait, or when the turn has not come within the deadline.
        """
        queue = self._waiting.setdefault(tenant, deque())
        if self.n_waiting >= MAX_WAITING or len(queue) >= MAX_WAITING_OF_TENANT:
            self._drop_if_empty(tenant)
            raise Overloaded
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        queue.append(_Job(work, model, future))
        self.n_waiting += 1
        self._start_waiting()
        return await self._awaited(future)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _awaited(self, future: "asyncio.Future[T]") -> T:
        try:
            await asyncio.wait((future,), timeout=self.deadline_s)
            if not future.done():
                raise Overloaded
            return future.result()
        finally:
            future.cancel()  # one whose turn has not come is passed over

    def _start_waiting(self) -> None:
        """Give free threads to the tenants that wait, one job each in turn."""
        passed_over = 0
        while self._waiting and self.n_running < self.threads and passed_over < len(self._waiting):
            tenant, queue = next(iter(self._waiting.items()))
            self._waiting.move_to_end(tenant)
            job = self._next_of(queue)
            if job is None:
                passed_over += bool(queue)
                self._drop_if_empty(tenant)
                continue
            passed_over = 0
            self._drop_if_empty(tenant)
            self._start(job)

    def _next_of(self, queue: deque[_Job]) -> _Job | None:
        """Take the first job whose model has a thread left; those that nobody waits for any more are dropped."""
        for job in list(queue):
            if job.future.done():
                queue.remove(job)
                self.n_waiting -= 1
            elif self._running.get(job.model, 0) < self._of_one_model:
                queue.remove(job)
                self.n_waiting -= 1
                return job
        return None

    @property
    def _of_one_model(self) -> int:
        return max(1, self.threads // 2)

    def _start(self, job: _Job) -> None:
        self.n_running += 1
        self._running[job.model] = self._running.get(job.model, 0) + 1
        loop = job.future.get_loop()
        running = loop.run_in_executor(self._pool, job.work)
        running.add_done_callback(lambda done: self._finished(job, done))

    def _finished(self, job: _Job, done: "asyncio.Future[Any]") -> None:
        self.n_running -= 1
        self._running[job.model] -= 1
        if not self._running[job.model]:
            del self._running[job.model]
        self._pass_on(job.future, done)
        self._start_waiting()

    def _pass_on(self, future: "asyncio.Future[Any]", done: "asyncio.Future[Any]") -> None:
        error = done.exception() if not done.cancelled() else asyncio.CancelledError()
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(done.result())

    def _drop_if_empty(self, tenant: str) -> None:
        if not self._waiting.get(tenant, True):
            del self._waiting[tenant]
