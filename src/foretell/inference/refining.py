"""What the author says about a model beyond what can be found out: units, help, limits, categories."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import DType, Input, Output, Signature
from foretell.inference.signature_checks import checked, input_faults
from foretell.inference.signature_json import read_field

INPUT_KEYS = ("unit", "help", "limits", "nullable", "categories", "closed", "example")
OUTPUT_KEYS = ("unit", "help")

Described = TypeVar("Described", Input, Output)


def refine(signature: Signature, refinements: Mapping[str, Any]) -> Signature:
    """Return `signature` with the author's words.

    Parameters
    ----------
    refinements
        ``{"inputs": {"age": {"unit": "years", "limits": [0, 120]}}, "outputs": {"prediction": {"help": "…"}}}``.
        Inputs take unit, help, limits, nullable, categories, closed and example; outputs take unit and help.
        `categories` make a text or an open number a category; an example found in the sample that no longer fits is dropped.

    Raises
    ------
    InvalidSignature
        names the input or output, what was found and what is allowed.
    """
    given = _mapping(refinements, "Refinements")
    if unknown := sorted(str(key) for key in set(given) - {"inputs", "outputs"}):
        raise InvalidSignature(f"Refinements have {_shown(unknown)}, but only inputs and outputs are known.")
    inputs = _matched("input", given.get("inputs", {}), [source.name for source in signature.inputs], INPUT_KEYS)
    outputs = _matched("output", given.get("outputs", {}), [output.name for output in signature.outputs], OUTPUT_KEYS)
    return checked(
        Signature(
            inputs=tuple(_refined_input(source, inputs.get(source.name, {})) for source in signature.inputs),
            outputs=tuple(_refined("output", output, outputs.get(output.name, {})) for output in signature.outputs),
        )
    )


def _matched(what: str, given: Any, names: list[str], allowed: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
    """Return the fields given for each input or output, all of them known."""
    matched = {}
    for name, fields in _mapping(given, f"Refinements of {what}s").items():
        if name not in names:
            raise InvalidSignature(f"There is no {what} {name!r:.120}; there are {_shown(names)}.")
        matched[name] = _mapping(fields, f"The refinement of {what} {name!r}")
        if unknown := sorted(str(key) for key in set(fields) - set(allowed)):
            raise InvalidSignature(
                f"The refinement of {what} {name!r} has {_shown(unknown)}, but only {', '.join(allowed)} can be refined."
            )
    return matched


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidSignature(f"{what} are given as an object, not as {type(value).__name__}.")
    return value


def _shown(names: list[str]) -> str:
    shown = ", ".join(f"{name:.60}" for name in names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown


def _refined_input(source: Input, given: Mapping[str, Any]) -> Input:
    refined = _refined("input", source, given)
    if given.get("categories"):
        # A category has no ranges of its own: its values are listed.
        refined = replace(refined, dtype=DType.CATEGORY, range=None, quantiles=())
    if "example" not in given and any("the example" in fault for fault in input_faults(refined)):
        refined = replace(refined, example=None)
    return refined


def _refined(what: str, described: Described, given: Mapping[str, Any]) -> Described:
    try:
        values = {field: read_field(what, field, value) for field, value in given.items()}
    except InvalidSignature as error:
        raise InvalidSignature(f"The refinement of {what} {described.name!r}: {error.message}") from None
    return replace(described, **values)
