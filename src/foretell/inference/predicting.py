"""One prediction, one path: every face, whatever its protocol, ends in `predict`."""

import time
from dataclasses import dataclass, field

from foretell.inference.batch import Batch, Predictions
from foretell.inference.runtimes import Runtime
from foretell.inference.signature import Signature

_WEIGHT = 0.1  # of the newest run


class RunCost:
    """How long a model's runs take, learnt from each: a part per call and a part per row, in seconds.

    Race condition: two threads that learn at once may lose one of the two lessons; the next one comes soon.
    """

    __slots__ = ("call_s", "row_s")

    def __init__(self) -> None:
        self.call_s = 0.0  #: of a run of one row; 0 while there was none
        self.row_s = 0.0  #: of each row more

    def expected_s(self, n_rows: int) -> float:
        """Return what a run of so many rows will probably take; 0 where nothing is known."""
        return self.call_s + self.row_s * (n_rows - 1)

    def learn(self, n_rows: int, seconds: float) -> None:
        if n_rows <= 1:
            self.call_s += (seconds - self.call_s) * _WEIGHT if self.call_s else seconds
        elif self.row_s:
            self.row_s += (self._per_row(n_rows, seconds) - self.row_s) * _WEIGHT
        else:
            self.row_s = self._per_row(n_rows, seconds)

    def _per_row(self, n_rows: int, seconds: float) -> float:
        return max(seconds - self.call_s, 0.0) / (n_rows - 1)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model version in memory: what it takes and answers, what runs it, and what that costs."""

    signature: Signature
    runtime: Runtime
    cost: RunCost = field(default_factory=RunCost, compare=False)

    def close(self) -> None:
        self.runtime.close()


def predict(model: LoadedModel, batch: Batch) -> Predictions:
    """Answer every row of `batch`.

    Raises
    ------
    RunFailed
        when the model gives up on valid rows.
    SandboxError
        when the locked worker behind a python runtime is gone or too slow.
    """
    started = time.perf_counter()
    predictions = model.runtime.run(batch)
    model.cost.learn(batch.n_rows, time.perf_counter() - started)
    return predictions
