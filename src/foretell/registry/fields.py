"""Fields that take what was sent for what it is: no text for a number, no number for a text, nothing unknown."""

import math
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MAX_ENTRIES = 100
MAX_KEY_CHARS = 100
MAX_VALUE_CHARS = 1_000


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses keys that it does not know, and those that cannot be written."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            allowed = sorted(name for name, field in self.fields.items() if not field.read_only)
            unknown = {
                str(key): [f"This is not a field here. Expected only {', '.join(allowed)}."]
                for key in data
                if key not in allowed
            }
            if unknown:
                raise serializers.ValidationError(unknown, code="unknown_field")
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A text is a text: `1` is not taken for `"1"`."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"Found {type(data).__name__}, expected a text.", code="invalid")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A whole number is a whole number: `"1"`, `1.0` and `true` are not."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError(f"Found {data!r:.60}, expected a whole number.", code="invalid")
        return super().to_internal_value(data)


class StrictNumberField(serializers.FloatField):
    """A number is a number: `"1"` and `true` are not."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError(f"Found {data!r:.60}, expected a number.", code="invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """True or false: `"yes"` and `1` are not."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"Found {data!r:.60}, expected true or false.", code="invalid")
        return data


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class TagsField(serializers.Field[dict[str, str], Any, Any, Any]):
    """Names and texts."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        _check_entries(data)
        for key, value in data.items():
            if not isinstance(value, str) or len(value) > MAX_VALUE_CHARS or "\0" in value:
                raise serializers.ValidationError(
                    f"{key!r} is {value!r:.60}; expected a text of at most {MAX_VALUE_CHARS:,} characters."
                )
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {"type": "number"}})
class MetricsField(serializers.Field[dict[str, float], Any, Any, Any]):
    """Names and finite numbers."""

    def to_internal_value(self, data: Any) -> dict[str, float]:
        _check_entries(data)
        for key, value in data.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise serializers.ValidationError(f"{key!r} is {value!r:.60}; expected a finite number.")
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value


def _check_entries(data: Any) -> None:
    if not isinstance(data, Mapping) or len(data) > MAX_ENTRIES:
        raise serializers.ValidationError(f"Expected an object with at most {MAX_ENTRIES} entries.")
    for key in data:
        if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY_CHARS or "\0" in key:
            raise serializers.ValidationError(f"The name {key!r:.60} is not a text of 1 to {MAX_KEY_CHARS} characters.")
