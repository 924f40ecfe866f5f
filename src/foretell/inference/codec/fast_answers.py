"""The answers of a model with one output, as msgspec writes them fastest: structs whose fields are the classes."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from foretell.inference.batch import Predictions
from foretell.inference.codec.derived import Derived
from foretell.inference.labels import label_text
from foretell.inference.signature import Output, Signature

MAX_FIELDS = 256


class SingleAnswer(msgspec.Struct):
    prediction: Any
    probabilities: Any
    model: str
    version: int
    id: str
    warnings: Any = UNSET


class ManyAnswers(msgspec.Struct):
    predictions: list[Any]
    probabilities: Any
    model: str
    version: int
    id: str
    warnings: Any = UNSET


class ScalarRows:
    """Takes the answers of one output apart into rows."""

    def __init__(self, output: Output) -> None:
        self._name = output.name
        self._shares = _maker([label_text(label) for label in output.classes]) if output.probabilities else None

    def __call__(self, predictions: Predictions) -> tuple[list[Any], Any]:
        """Return the values and the probabilities, or UNSET where there are none."""
        found = predictions.outputs[self._name]
        values, probabilities, shares = found.values.tolist(), found.probabilities, self._shares
        if probabilities is None or shares is None:
            return values, UNSET
        if len(values) == 1:
            return values, [shares(*probabilities[0].tolist())]
        return values, list(map(shares, *probabilities.T.tolist()))


def _scalar_rows_of(signature: Signature) -> ScalarRows | None:
    return ScalarRows(signature.outputs[0]) if signature.is_scalar else None


#: What takes a signature's answers apart; None where each row's answer is an object.
scalar_rows = Derived(_scalar_rows_of)


def _maker(keys: Sequence[str]) -> Callable[..., Any]:
    """Return what makes an object of these keys from its values."""
    names = [f"f{position}" for position in range(len(keys))]
    if len(keys) <= MAX_FIELDS and len(set(keys)) == len(keys):
        try:
            return msgspec.defstruct("Probabilities", names, rename=dict(zip(names, keys, strict=True)))
        except ValueError:  # a class with a quote, a backslash or a control character
            pass
    return lambda *values: dict(zip(keys, values, strict=True))
