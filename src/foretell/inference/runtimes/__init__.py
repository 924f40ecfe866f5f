"""The two ways to run a model version, behind one interface."""

from typing import Protocol

from foretell.inference.batch import Batch, Predictions


class Runtime(Protocol):
    """A loaded model version. Safe to call from several threads."""

    name: str  #: "onnx" or "python"

    def run(self, batch: Batch) -> Predictions:
        """Answer every row of `batch`.

        Raises
        ------
        RunFailed
            when the model gives up on valid rows.
        SandboxError
            when the locked worker behind a python runtime is gone or too slow.
        """

    def close(self) -> None:
        """Let go of memory, sessions and workers; safe to repeat."""
