"""The one stored description of a model version, from which everything else about it is derived.

Validation, the JSON codec, the OpenAPI document, the HTML form, protocol metadata and the bins for drift all read a
`Signature`. It is immutable, has no behaviour but its own consistency, and round-trips through JSON unchanged.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

Scalar = float | int | bool | str | None
Label = str | int | float | bool

MAX_INPUTS = 2_000
MAX_OUTPUTS = 2_000
MAX_CATEGORIES = 1_000  # of one input
MAX_CLASSES = 10_000  # of one output
MAX_LABELS = 100_000  # categories and classes in all
MAX_TEXT_CHARS = 500  # a name, a unit, a category
MAX_HELP_CHARS = 2_000
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # the shares at which `Input.quantiles` stand


class DType(StrEnum):
    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    STRING = "string"
    CATEGORY = "category"
    DATETIME = "datetime"


class Task(StrEnum):
    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    CLUSTERING = "clustering"
    TRANSFORM = "transform"
    MULTI_OUTPUT = "multi-output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One named input of a model."""

    name: str
    dtype: DType
    nullable: bool = False  #: a missing value (null, an absent key, an empty cell) is allowed
    range: tuple[float, float] | None = None  #: least and greatest value seen in training; outside is a warning
    quantiles: tuple[float, ...] = ()  #: of the sample, at `QUANTILES`
    limits: tuple[float | None, float | None] | None = None  #: the author's bounds; outside is an error
    categories: tuple[Label, ...] = ()  #: for `category`: the known values, all words or all numbers
    closed: bool = True  #: a value outside `categories` is an error; open: a warning
    unit: str = ""
    help: str = ""
    example: Scalar = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One named output of a model."""

    name: str
    task: Task
    classes: tuple[Label, ...] = ()  #: for binary and multiclass (and clustering, where known), in probability order
    probabilities: bool = False  #: the model states a probability for each class
    unit: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Signature:
    """What a model version takes and what it answers."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]

    @property
    def task(self) -> Task:
        tasks = {output.task for output in self.outputs}
        if tasks == {Task.TRANSFORM}:
            return Task.TRANSFORM
        return self.outputs[0].task if len(self.outputs) == 1 else Task.MULTI_OUTPUT

    @property
    def is_scalar(self) -> bool:
        """Whether one row's prediction is a bare value; otherwise it is an object with a key per output."""
        return len(self.outputs) == 1 and self.task is not Task.TRANSFORM

    def input(self, name: str) -> Input:
        for candidate in self.inputs:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types; `from_json` of it is an equal signature. What is at its default is left out."""
        return {
            "inputs": [_without_defaults(item) for item in self.inputs],
            "outputs": [_without_defaults(item) for item in self.outputs],
        }

    @classmethod
    def from_json(cls, data: Any) -> "Signature":
        """Read what `to_json` wrote, checking every value: the data may come from a sandboxed child or a client.

        Raises
        ------
        InvalidSignature
            names the place, what was found and what is allowed.
        """
        from foretell.inference.signature_json import read_signature

        return read_signature(data)


def _without_defaults(item: Input | Output) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if value != field.default or type(value) is not type(field.default):
            plain[field.name] = (
                list(value) if isinstance(value, tuple) else str(value) if isinstance(value, StrEnum) else value
            )
    return plain
