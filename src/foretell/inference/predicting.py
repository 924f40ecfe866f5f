"""One prediction, one path: every face, whatever its protocol, ends in `predict`."""

from dataclasses import dataclass

from foretell.inference.batch import Batch, Predictions
from foretell.inference.runtimes import Runtime
from foretell.inference.signature import Signature


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model version in memory: what it takes and answers, and what runs it."""

    signature: Signature
    runtime: Runtime

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
    return model.runtime.run(batch)
