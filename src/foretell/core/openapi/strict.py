"""Strict serializers and fields as JSON Schema: what `core.strict` refuses, the document refuses too."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension

NOT_BLANK = r"\S"


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    target_class = "foretell.core.strict.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False} if direction == "request" else schema


class StrictText(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    """A text whose ends are trimmed has to have something between them."""

    target_class = "foretell.core.strict.StrictCharField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        is_trimmed = self.target.trim_whitespace and not self.target.allow_blank
        if is_trimmed and schema.get("type") == "string" and not {"format", "pattern"} & schema.keys():
            return {**schema, "pattern": NOT_BLANK}
        return schema
