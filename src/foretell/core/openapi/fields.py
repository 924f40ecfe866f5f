"""Fields whose schema says more than drf-spectacular finds out."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field({"type": "object", "additionalProperties": {}})
class ObjectField(serializers.JSONField):
    """A JSON object whose names are not known beforehand."""


@extend_schema_field({"type": ["object", "null"], "additionalProperties": {}})
class ObjectOrNullField(serializers.JSONField):
    """The same, or nothing."""
