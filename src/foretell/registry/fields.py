"""Fields of the registry's own: tags and metrics. What every strict body has is in `core.strict`."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MAX_ENTRIES = 100
MAX_KEY_CHARS = 100
MAX_VALUE_CHARS = 1_000
TAG = {"type": "string", "maxLength": MAX_VALUE_CHARS}
METRIC = {"type": "number"}
_ENTRIES = {
    "type": "object",
    "maxProperties": MAX_ENTRIES,
    "propertyNames": {"minLength": 1, "maxLength": MAX_KEY_CHARS},
}
TAGS: dict[str, Any] = {**_ENTRIES, "additionalProperties": TAG}
METRICS: dict[str, Any] = {**_ENTRIES, "additionalProperties": METRIC}


@extend_schema_field(TAGS)
class TagsField(serializers.Field[dict[str, str], Any, Any, Any]):
    """Names and texts."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        return _checked_entries(data, tag_fault)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(METRICS)
class MetricsField(serializers.Field[dict[str, float], Any, Any, Any]):
    """Names and finite numbers."""

    def to_internal_value(self, data: Any) -> dict[str, float]:
        return _checked_entries(data, metric_fault)

    def to_representation(self, value: Any) -> Any:
        return value


def name_fault(name: Any) -> str | None:
    """Say what is wrong with the name of an entry; None where nothing is."""
    if isinstance(name, str) and 1 <= len(name) <= MAX_KEY_CHARS and "\0" not in name:
        return None
    return f"The name {name!r:.60} is not a text of 1 to {MAX_KEY_CHARS} characters."


def tag_fault(value: Any) -> str | None:
    if isinstance(value, str) and len(value) <= MAX_VALUE_CHARS and "\0" not in value:
        return None
    return f"Found {value!r:.60}, expected a text of at most {MAX_VALUE_CHARS:,} characters."


def metric_fault(value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and abs(value) <= sys.float_info.max:  # neither NaN, nor a whole number beyond float64
        return None
    return f"Found {value!r:.60}, expected a finite number."


def _checked_entries(data: Any, fault_of: Callable[[Any], str | None]) -> dict[str, Any]:
    if not isinstance(data, Mapping) or len(data) > MAX_ENTRIES:
        raise serializers.ValidationError(f"Expected an object with at most {MAX_ENTRIES} entries.")
    faults = {
        str(name)[:MAX_KEY_CHARS]: [fault]
        for name, value in data.items()
        if (fault := name_fault(name) or fault_of(value)) is not None
    }
    if faults:
        raise serializers.ValidationError(faults)
    return dict(data)
