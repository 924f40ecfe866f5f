"""A prediction as a page shows it: plain values for the template, none of them computed by the model twice."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from foretell.inference.answering import Prediction
from foretell.inference.batch import OutputValues
from foretell.inference.columns import batch_to_json
from foretell.inference.errors import InputProblem
from foretell.inference.signature import DType, Label, Output, Signature
from foretell.web.fields import text_of

MAX_CHANCES = 10
NO_NUMBER = "—"


@dataclass(frozen=True, slots=True)
class Chance:
    """One class and its probability: exact for programs, in percent for people."""

    label: str
    exact: float
    percent: str
    is_predicted: bool


@dataclass(frozen=True, slots=True)
class ShownOutput:
    name: str
    text: str
    exact: str
    unit: str
    help: str
    chances: tuple[Chance, ...] = ()
    hidden_chances: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row's answer. `outputs` get a headline each; `numbers` are the lines of a table, when they are many."""

    outputs: tuple[ShownOutput, ...]
    numbers: tuple[ShownOutput, ...]
    is_single: bool
    warnings: tuple[InputProblem, ...]
    model: str
    version: int
    id: str
    curl: str


def outcome_of(prediction: Prediction, *, predict_url: str) -> Outcome:
    """Return what the page shows of a prediction of one row; `predict_url` answers the same to a program."""
    shown = {
        output.name: shown_output(output, prediction.predictions.outputs[output.name])
        for output in prediction.signature.outputs
    }
    tabled = _tabled(prediction.signature)
    return Outcome(
        outputs=tuple(one for name, one in shown.items() if name not in tabled),
        numbers=tuple(one for name, one in shown.items() if name in tabled),
        is_single=prediction.signature.is_scalar,
        warnings=tuple(prediction.parsed.warnings),
        model=prediction.model,
        version=prediction.version,
        id=prediction.id,
        curl=curl_command(predict_url, first_row(prediction)),
    )


def _tabled(signature: Signature) -> set[str]:
    """Numbers stand in a table when there are several; a class always has its own headline and probabilities."""
    numbers = {output.name for output in signature.outputs if not output.classes}
    return numbers if not signature.is_scalar else set()


def shown_output(output: Output, answer: OutputValues) -> ShownOutput:
    value = answer.values[0].item() if hasattr(answer.values[0], "item") else answer.values[0]
    chances = tuple(sorted_chances(output.classes, answer, value))
    return ShownOutput(
        name=output.name,
        text=answer_text(value),
        exact=text_of(value),
        unit=output.unit,
        help=output.help,
        chances=chances[:MAX_CHANCES],
        hidden_chances=max(0, len(chances) - MAX_CHANCES),
    )


def sorted_chances(classes: Sequence[Label], answer: OutputValues, predicted: Any) -> Iterator[Chance]:
    """Yield the classes with their probabilities, the likeliest first, equal ones in the model's order."""
    if answer.probabilities is None:
        return
    pairs = zip(classes, answer.probabilities[0].tolist(), strict=True)
    for label, share in sorted(pairs, key=lambda pair: -pair[1]):
        yield Chance(text_of(label), share, percent_text(share), is_predicted=label == predicted)


def percent_text(share: float) -> str:
    """Return a share in percent; what is not quite 0 or 1 is never shown as such."""
    if math.isnan(share):
        return NO_NUMBER
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"


def answer_text(value: Any) -> str:
    """Return a label as it is, and a number with the digits that a person reads."""
    if not isinstance(value, float):
        return text_of(value)
    return f"{value:.6g}" if math.isfinite(value) else NO_NUMBER


def first_row(prediction: Prediction) -> dict[str, Any]:
    """Return the row that was predicted, as JSON has it."""
    values = {name: column[0] for name, column in batch_to_json(prediction.parsed.batch).items()}
    # A nullable int is held as a float.
    whole = {source.name for source in prediction.signature.inputs if source.dtype is DType.INT}
    return {name: int(value) if name in whole and value is not None else value for name, value in values.items()}


def curl_command(url: str, row: dict[str, Any]) -> str:
    """Return a command for a POSIX shell that asks for the same prediction over REST."""
    body = json.dumps(row, ensure_ascii=False)
    return "\n".join(
        (
            f"curl {shell_quoted(url)} \\",
            '  -H "Authorization: Bearer $FORETELL_API_KEY" \\',
            "  -H 'Content-Type: application/json' \\",
            f"  -d {shell_quoted(body)}",
        )
    )


def shell_quoted(text: str) -> str:
    # Security: always quoted, also where shlex.quote would not: a person pastes this into a shell.
    return "'" + text.replace("'", "'\"'\"'") + "'"
