"""What the fields of an input are in JSON: what a body is held to, and what the OpenAPI document says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms

from foretell.core.openapi.schema import MAX_NUMBER
from foretell.core.openapi.strict import NOT_BLANK

Json = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    words: str
    schema: Json
    fits: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(_is_number(one) for one in value)


NUMBER: Json = {"type": "integer", "minimum": 1, "maximum": MAX_NUMBER}
TEXT = Kind("a text", {"type": "string"}, lambda value: isinstance(value, str))
# The nearest first: Django's own fields are each other's bases.
KINDS: tuple[tuple[type[forms.Field], Kind], ...] = (
    (
        forms.ModelMultipleChoiceField,
        Kind("a list of whole numbers", {"type": "array", "items": NUMBER, "minItems": 1}, _are_numbers),
    ),
    (forms.ModelChoiceField, Kind("a whole number", NUMBER, _is_number)),
    (forms.BooleanField, Kind("true or false", {"type": "boolean"}, lambda value: isinstance(value, bool))),
    (
        forms.JSONField,
        Kind(
            "an object",
            {"type": "object", "additionalProperties": {}, "minProperties": 1},
            lambda value: isinstance(value, dict),
        ),
    ),
)


def kind_of(field: forms.Field) -> Kind:
    return next((kind for base, kind in KINDS if isinstance(field, base)), TEXT)


def schema_of(field: forms.Field) -> Json:
    """Return what a field is held to, as JSON Schema."""
    kind = kind_of(field)
    return {**kind.schema, **_of_text(field)} if kind is TEXT else dict(kind.schema)


def _of_text(field: Any) -> Json:
    schema: Json = {"maxLength": field.max_length} if field.max_length else {}
    if isinstance(field, forms.EmailField):
        return {**schema, "format": "email"}
    if field.required:
        schema["minLength"] = 1
        if field.strip:
            schema["pattern"] = NOT_BLANK
    return schema
