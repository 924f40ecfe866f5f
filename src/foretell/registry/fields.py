"""Fields that take what was sent for what it is: no text for a number, no number for a text, nothing unknown."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

MAX_ENTRIES = 100
MAX_KEY_CHARS = 100
MAX_VALUE_CHARS = 1_000


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses keys that it does not know, and those that cannot be written; says so together with all else that is wrong.

    shown : names that a reader sees and nobody writes, so that who sends back what was read is told which to leave out.
    """

    shown: tuple[str, ...] = ()

    def to_internal_value(self, data: Any) -> Any:
        faults = self._unwritable(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as err:
            detail = err.detail if isinstance(err.detail, dict) else {"non_field_errors": err.detail}
            raise serializers.ValidationError({**detail, **faults}) from err
        if faults:
            raise serializers.ValidationError(faults)
        return value

    def _unwritable(self, data: Mapping[Any, Any]) -> dict[str, list[ErrorDetail]]:
        allowed = sorted(name for name, field in self.fields.items() if not field.read_only)
        unknown = [str(key) for key in data if key not in allowed]
        expected = f"Expected only {', '.join(allowed)}."
        return {
            key: [ErrorDetail(f"This is read here, not written. {expected}", "read_only")]
            if key in self.shown
            else [ErrorDetail(f"This is not a field here. {expected}", "unknown_field")]
            for key in unknown
        }


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
        return _checked_entries(data, tag_fault)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {"type": "number"}})
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
