"""What the server tells, as typed, frozen values. A key that this version does not know is kept in `raw` and not an error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
Answer = Any  #: a label or a number; for a model with several outputs a dict with one per output


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who the credential belongs to."""

    username: str
    email: str
    role: str
    tenant: str
    raw: Json = field(repr=False, compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A registered model.

    aliases : the number of the version that each alias points at.
    signature : inputs and outputs of the champion, else of the latest ready version; None in lists.
    """

    name: str
    description: str
    tags: Mapping[str, str]
    task: str | None
    aliases: Mapping[str, int]
    latest_version: int | None
    created_at: datetime
    updated_at: datetime
    url: str
    signature: Json | None = field(repr=False, default=None)
    raw: Json = field(repr=False, compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a version is not what its author wanted."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One immutable version of a model.

    state : "quarantined", "building", "ready" or "failed".
    reason : why it failed; on a ready version, why an alias was not moved.
    runtime : "onnx" or "python" once it is ready, and `runtime_reason` says why that one.
    """

    model: str
    version: int
    state: str
    reason: Reason | None
    runtime: str | None
    runtime_reason: str
    task: str | None
    sha256: str
    size_bytes: int
    signature: Json | None = field(repr=False)
    parity: Json | None = field(repr=False)
    example: Json | None = field(repr=False)
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    description: str
    lineage: Json = field(repr=False)
    aliases: tuple[str, ...]
    created_by: str
    created_at: datetime
    ready_at: datetime | None
    url: str
    raw: Json = field(repr=False, compare=False, default_factory=dict)

    @property
    def is_ready(self) -> bool:
        return self.state == "ready"

    @property
    def has_failed(self) -> bool:
        return self.state == "failed"


@dataclass(frozen=True, slots=True)
class Pushed:
    """A version as the server took it in.

    is_new : False where the same files with the same options were pushed before; it is the same version then.
    """

    version: Version
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A movable name for one version of a model.

    is_waiting : it does not point there yet: the model asks for a second person, and the promotion waits for one.
    """

    model: str
    alias: str
    version: int
    is_waiting: bool = False
    raw: Json = field(repr=False, compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A promotion that needs, or needed, a second person.

    from_version : where the alias pointed when it was asked for; None: nowhere.
    state : "open", "approved", "declined" or "withdrawn".
    """

    id: str
    model: str
    alias: str
    version: int
    from_version: int | None
    state: str
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    comment: str
    raw: Json = field(repr=False, compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class InputWarning:
    """Something about the input that is no error, such as a value outside the range seen in training."""

    attr: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The answer to one row.

    probabilities : by class, where the model states them.
    """

    prediction: Answer
    probabilities: Mapping[str, Any] | None
    model: str
    version: int
    id: str
    warnings: tuple[InputWarning, ...] = ()
    raw: Json = field(repr=False, compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedPrediction:
    """A prediction as the server's log has it.

    face : the protocol that it came by, such as "rest" or "form".
    user, key : who asked, and with which key; None where they are gone, or none was used.
    inputs : an object for each row. None in lists, and where the model's log does not keep them.
    outputs : the answer. None as above.
    """

    id: str
    at: datetime
    model: str
    version: int
    face: str
    user: str | None
    key: str | None
    request_id: str
    n_rows: int
    duration_ms: float
    n_warnings: int
    inputs: tuple[Json, ...] | None = field(repr=False, default=None)
    outputs: Json | None = field(repr=False, default=None)
    raw: Json = field(repr=False, compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """The answers to several rows, in their order; a sequence of `Prediction`."""

    predictions: tuple[Answer, ...]
    probabilities: tuple[Mapping[str, Any], ...] | None
    model: str
    version: int
    id: str
    warnings: tuple[InputWarning, ...] = ()
    raw: Json = field(repr=False, compare=False, default_factory=dict)

    def __len__(self) -> int:
        return len(self.predictions)

    def __getitem__(self, position: int) -> Prediction:
        return Prediction(
            prediction=self.predictions[position],
            probabilities=None if self.probabilities is None else self.probabilities[position],
            model=self.model,
            version=self.version,
            id=self.id,
        )

    def __iter__(self) -> Iterator[Prediction]:
        return (self[position] for position in range(len(self)))
