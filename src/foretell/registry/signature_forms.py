"""A DRF serializer made of a signature: the form of the browsable API.

It shows what a model takes, and only shows it: what is sent is read by the codec, which is strict where DRF's fields are not.
"""

from typing import Any

from rest_framework import serializers

from foretell.inference.signature import DType, Input, Signature

MAX_CHOICES = 200

AnySerializer = serializers.Serializer[Any]
AnyField = serializers.Field[Any, Any, Any, Any]


def serializer_for(signature: Signature) -> type[AnySerializer]:
    """Return a serializer class with a field for each input: its label, help, bounds, choices and example."""
    fields: dict[str, Any] = {item.name: field_for(item) for item in signature.inputs}
    return type("InputSerializer", (serializers.Serializer,), fields)


def field_for(item: Input) -> AnyField:
    shown: dict[str, Any] = {
        "label": f"{item.name}, in {item.unit}" if item.unit else item.name,
        "help_text": _help(item),
        "required": not item.nullable,
        "allow_null": item.nullable,
        "initial": item.example,
    }
    if item.dtype is DType.CATEGORY and item.closed and len(item.categories) <= MAX_CHOICES:
        return serializers.ChoiceField(choices=list(item.categories), **shown)
    if item.dtype is DType.BOOL:
        return serializers.BooleanField(**shown)
    if item.dtype not in (DType.FLOAT, DType.INT):
        return serializers.CharField(**shown)
    low, high = item.limits or (None, None)
    bounds: dict[str, Any] = {"min_value": low, "max_value": high}
    is_whole = item.dtype is DType.INT
    return serializers.IntegerField(**bounds, **shown) if is_whole else serializers.FloatField(**bounds, **shown)


def _help(item: Input) -> str:
    seen = f"Seen in training: {item.range[0]:g} to {item.range[1]:g}." if item.range is not None else ""
    return " ".join(filter(None, [item.help, seen]))
