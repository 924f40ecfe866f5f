"""Bodies that are taken for what they are: no text for a number, no number for a text, nothing unknown, nothing twice."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.parsers import JSONParser

from foretell.inference.codec.strict_json import loads


class StrictJSONParser(JSONParser):
    """JSON without repeated keys, NaN, deep nesting, NUL characters and half characters."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return loads(stream.read())


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
    """A whole number is a whole number: `"1"`, `1.5` and `true` are not. `1.0` is `1`, as JSON Schema has it."""

    def to_internal_value(self, data: Any) -> int:
        is_whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if isinstance(data, bool) or not is_whole:
            raise serializers.ValidationError(f"Found {data!r:.60}, expected a whole number.", code="invalid")
        data = int(data)
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
