"""The form of a model, made from its signature. What was typed is judged by the codec alone, and shown here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django import forms

from foretell.inference.codec.wording import place
from foretell.inference.errors import InputProblem
from foretell.inference.signature import DType, Input, Signature
from foretell.inference.signature_checks import parsed_datetime
from foretell.web.fields import InputField, text_of

NAME_PREFIX = "input:"  # an input may be called "csrfmiddlewaretoken", or nothing at all


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """A line of the summary above a form: what is wrong, and where to put it right."""

    detail: str
    label: str = ""
    href: str = ""


class PredictionForm(forms.Form):
    """One row of a model's inputs, as text.

    Fields are keyed by position (``input-3``), which is also their id in the page; the names they are sent under
    are the inputs' own, so that a form that was opened before the champion moved is never read by position.
    """

    signature: Signature
    use_required_attribute = False

    def add_prefix(self, field_name: str | int) -> str:
        return NAME_PREFIX + _as_sent(self.signature.inputs[_position(str(field_name))].name)

    @property
    def values(self) -> dict[str, str]:
        """What was sent, by input name and as it was typed; names the signature does not know are kept for the codec."""
        known = {_as_sent(source.name): source.name for source in self.signature.inputs}
        sent = {key.removeprefix(NAME_PREFIX): text for key, text in self.data.items() if key.startswith(NAME_PREFIX)}
        return {known.get(name, name): text for name, text in sent.items()}

    def report(self, problems: Iterable[InputProblem]) -> None:
        """Put each problem beside its field, and those of no field above the form."""
        keys = {place(source.name): _key(position) for position, source in enumerate(self.signature.inputs)}
        for problem in problems:
            key = keys.get(problem.attr)
            about_all = f"{problem.attr}: {problem.detail}" if problem.attr else problem.detail
            self.add_error(key, problem.detail if key else about_all)

    def shown_problems(self) -> list[ShownProblem]:
        """Return all reported problems, those of the whole form first, each of the others with a link to its field."""
        whole = [ShownProblem(str(detail)) for detail in self.non_field_errors()]
        return whole + [
            ShownProblem(str(detail), str(field.label), f"#{field.auto_id}")
            for field in self
            for detail in field.errors
        ]


def form_for(signature: Signature) -> type[PredictionForm]:
    """Return the form class of a signature, its fields in the signature's order."""
    fields = {_key(position): InputField(source) for position, source in enumerate(signature.inputs)}
    return type("SignatureForm", (PredictionForm,), {"signature": signature, **fields})


def example_of(signature: Signature) -> dict[str, str]:
    """Return the signature's example row as a form's initial values; empty when the signature has none."""
    return {
        _key(position): _example_text(source)
        for position, source in enumerate(signature.inputs)
        if source.example is not None
    }


def _example_text(source: Input) -> str:
    if source.dtype is not DType.DATETIME:
        return text_of(source.example)
    # A datetime-local control takes no zone: the codec reads a time without one as UTC.
    return parsed_datetime(str(source.example)).replace(tzinfo=None, microsecond=0).isoformat()


def _as_sent(name: str) -> str:
    """Return a name as a browser sends it: with line breaks of its own."""
    return re.sub(r"\r\n|\r|\n", "\r\n", name)


def _key(position: int) -> str:
    return f"input-{position}"


def _position(key: str) -> int:
    return int(key.removeprefix("input-"))
