"""Runs the author's own estimator in a locked worker process, where there is no exact graph of it.

The worker is opened at the first prediction, and again after it died; when it keeps dying, callers are told at once
instead of waiting for the next death.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from foretell.inference.batch import Batch, Predictions
from foretell.inference.errors import JobCrashed, JobOutOfMemory, JobTimedOut, RunFailed, SandboxError
from foretell.inference.formats import File
from foretell.inference.signature import Signature
from foretell.inference.wire import pack_batch, unpack_predictions

if TYPE_CHECKING:
    from foretell.inference.sandbox import Channel, Sandbox

CALL_TIMEOUT_S = 10.0
MAX_DEATHS = 3
DEATH_WINDOW_S = 60.0
_WORKER_CPU_S = 3_600  # over the worker's life; it is reopened when they are spent


class PythonRuntime:
    """A locked worker that answers with the estimator itself. Safe to call from several threads, one at a time.

    Parameters
    ----------
    files
        The author's artifact, in chain order.
    timeout_s : float, default=10
        Longest that a call may take; the worker is ended then, and the next call opens another.
    clock
        Monotonic seconds, for tests.
    """

    name = "python"

    def __init__(
        self,
        sandbox: "Sandbox",
        files: Sequence[File],
        signature: Signature,
        *,
        timeout_s: float = CALL_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sandbox, self._files, self._signature = sandbox, list(files), signature
        self._timeout_s, self._clock = timeout_s, clock
        self._lock = threading.Lock()
        self._channel: Channel | None = None
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        self._is_closed = False

    def run(self, batch: Batch) -> Predictions:
        with self._lock:
            answer, worker_s = self._answer({"batch": pack_batch(batch)})
        return unpack_predictions(self._signature, answer.get("answers"), n_rows=batch.n_rows, worker_s=worker_s)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._drop_worker()

    def _answer(self, call: dict[str, object]) -> tuple[dict[str, object], float]:
        """Return the worker's answer, and for how many seconds it was busy with it; what opening it took is no prediction's."""
        try:
            worker = self._worker()
            began = time.perf_counter()
            return worker.call(call, timeout_s=self._timeout_s), time.perf_counter() - began
        except (JobCrashed, JobTimedOut, JobOutOfMemory):
            self._deaths.append(self._clock())
            self._drop_worker()
            raise
        except SandboxError:
            self._drop_worker()
            raise

    def _worker(self) -> "Channel":
        if self._is_closed:
            raise RunFailed("This model version was closed.")
        if self._channel is not None and self._channel.is_alive:
            return self._channel
        self._drop_worker()
        self._require_hope()
        self._channel = self._open()
        return self._channel

    def _open(self) -> "Channel":
        from foretell.inference.sandbox import Limits

        files = [{"name": name, "data": data} for name, data in self._files]
        payload = {"files": files, "signature": self._signature.to_json()}
        return self._sandbox.open("run", payload, limits=Limits(cpu_s=_WORKER_CPU_S))

    def _require_hope(self) -> None:
        """Break the circle of opening and dying: after three deaths within a minute, wait for the minute to pass."""
        if len(self._deaths) < MAX_DEATHS:
            return
        wait_s = self._deaths[0] + DEATH_WINDOW_S - self._clock()
        if wait_s > 0:
            message = f"The worker of this model version ended {MAX_DEATHS} times within {DEATH_WINDOW_S:g} s; it is opened again in {wait_s:.0f} s."
            raise JobCrashed(message, retry_after_s=max(1, round(wait_s)))

    def _drop_worker(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
