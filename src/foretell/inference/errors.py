"""What can go wrong between an artifact and an answer.

::

    ForetellError
    └── InferenceError
        ├── InvalidInput            rows that do not fit the signature; carries one InputProblem per fault
        ├── InvalidSignature        a signature, or a refinement of one, that contradicts itself
        ├── ArtifactError           the file that was handed over cannot be used
        │   ├── UnreadableArtifact  corrupted, empty, of an unknown or refused format
        │   ├── MissingPackage      it needs a package that is not installed here
        │   ├── VersionMismatch     it was made by another version of its library
        │   ├── NotFitted           an estimator without what fitting leaves behind
        │   ├── UnsupportedModel    not an estimator, or a kind that can be neither converted nor run
        │   ├── SampleMismatch      the sample does not fit the estimator
        │   ├── UnsafeGraph         an ONNX graph that the validator refuses
        │   └── ParityFailed        the built version does not answer as its author's estimator did
        ├── SandboxError            the job in the sandbox did not come to its end
        │   ├── SandboxUnavailable  no sandbox process answers
        │   ├── SandboxIncomplete   a required layer is missing on this machine
        │   ├── JobTimedOut         more time than it may take
        │   ├── JobOutOfMemory      more memory than it may have
        │   └── JobCrashed          ended by a signal, a forbidden call or a broken answer
        └── RunFailed               the runtime gave up on valid rows
"""

from dataclasses import dataclass

from foretell.errors import ForetellError


class InferenceError(ForetellError):
    code = "inference_error"


@dataclass(frozen=True, slots=True)
class InputProblem:
    """One fault in the rows: where, what kind, and in words what was found and what is allowed."""

    attr: str  #: path within the request, such as ``instances.3.petal length (cm)``; "" for the body as a whole
    code: str  #: such as ``required``, ``unknown_field``, ``not_a_number``, ``not_a_choice``
    detail: str


class InvalidInput(InferenceError):
    """Rows that do not fit the signature. `problems` has every fault found, at most 100 of them."""

    code = "invalid_input"

    def __init__(self, *problems: InputProblem, message: str | None = None) -> None:
        first = problems[0] if problems else None
        super().__init__(
            message
            or (
                f"{first.attr}: {first.detail}"
                if first and first.attr
                else first.detail
                if first
                else "The input is not valid."
            )
        )
        self.problems = problems


class InvalidSignature(InferenceError):
    code = "invalid_signature"
    kind = "invalid"


class ArtifactError(InferenceError):
    code = "artifact_error"
    kind = "invalid"  # the general word, where `code` is more telling


class UnreadableArtifact(ArtifactError):
    code = "unreadable_artifact"


class MissingPackage(ArtifactError):
    code = "missing_package"


class VersionMismatch(ArtifactError):
    code = "version_mismatch"


class NotFitted(ArtifactError):
    code = "not_fitted"


class UnsupportedModel(ArtifactError):
    code = "unsupported_model"


class SampleMismatch(ArtifactError):
    code = "sample_mismatch"


class UnsafeGraph(ArtifactError):
    code = "unsafe_graph"


class ParityFailed(ArtifactError):
    code = "parity_failed"


class SandboxError(InferenceError):
    code = "sandbox_error"


class SandboxUnavailable(SandboxError):
    code = "sandbox_unavailable"


class SandboxIncomplete(SandboxError):
    code = "sandbox_incomplete"


class JobTimedOut(SandboxError):
    code = "job_timed_out"


class JobOutOfMemory(SandboxError):
    code = "job_out_of_memory"


class JobCrashed(SandboxError):
    code = "job_crashed"


class RunFailed(InferenceError):
    code = "run_failed"
