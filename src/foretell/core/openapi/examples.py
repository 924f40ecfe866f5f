"""An example for whatever goes in or comes out, made from its schema and from the words of `vocabulary`.

What a view says by itself (`OpenApiExample`) stays. An example always fits its schema: what the vocabulary has, is only taken
where it does.
"""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has none; drf-spectacular brings it

from foretell.core.openapi.failures import operations
from foretell.core.openapi.vocabulary import BY_COMPONENT, BY_FORMAT, BY_NAME, BY_PARAMETER

Json = dict[str, Any]
JSON = "application/json"
COMPONENT = "#/components/schemas/"


def add_examples(result: Json, **_: Any) -> Json:
    """Give each body and each parameter that has none an example; a drf-spectacular post-processing hook."""
    maker = ExampleMaker(result["components"]["schemas"])
    for _method, operation in operations(result):
        for content in _contents(operation):
            if "example" not in content and "examples" not in content:
                content["examples"] = {"example": {"value": maker.made(content.get("schema", {}))}}
        for parameter in operation.get("parameters", []):
            if "example" not in parameter and "examples" not in parameter:
                parameter["example"] = maker.parameter(parameter)
    return result


def _contents(operation: Json) -> Iterator[Json]:
    """Yield what is sent and what is answered as JSON; files have no example."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        if JSON in body.get("content", {}):
            yield body["content"][JSON]


class ExampleMaker:
    def __init__(self, components: Json) -> None:
        self._components = components

    def made(self, schema: Json, name: str = "") -> Any:
        """Return an example of a schema; `name` is that of the property that has it."""
        if "$ref" in schema:
            return self._of_component(schema["$ref"].removeprefix(COMPONENT), name)
        if schema.get("allOf"):
            parts = [self.made(part, name) for part in schema["allOf"]]
            return (
                {key: value for part in parts for key, value in part.items()}
                if isinstance(parts[0], dict)
                else parts[0]
            )
        for key in ("oneOf", "anyOf"):
            if schema.get(key):
                return self.made(next((one for one in schema[key] if one.get("type") != "null"), {}), name)
        if name in BY_NAME and fits(BY_NAME[name], schema):
            return BY_NAME[name]
        return self._plain(schema, name)

    def parameter(self, parameter: Json) -> Any:
        name, schema = parameter["name"], parameter.get("schema", {})
        if name in BY_PARAMETER and fits(BY_PARAMETER[name], schema):
            return BY_PARAMETER[name]
        return self.made(schema, name)

    def _of_component(self, name: str, property_name: str) -> Any:
        schema = self._components.get(name, {})
        return BY_COMPONENT[name] if name in BY_COMPONENT else self.made(schema, property_name)

    def _plain(self, schema: Json, name: str) -> Any:
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        kind = kinds if isinstance(kinds, str) else kinds[0]
        if schema.get("examples") or schema.get("enum") or "const" in schema:
            return [*schema.get("examples", ()), *schema.get("enum", ()), schema.get("const")][0]
        if kind == "object":
            return self._object(schema)
        if kind == "array":
            return [self.made(schema.get("items", {}), name.removesuffix("s"))]
        if "default" in schema and schema["default"] is not None:
            return schema["default"]
        numbers = {
            "integer": schema.get("minimum", 1),
            "number": schema.get("minimum", 0.5),
            "boolean": True,
            "null": None,
        }
        return numbers[kind] if kind in numbers else BY_FORMAT.get(schema.get("format", ""), "text")

    def _object(self, schema: Json) -> Json:
        made = {name: self.made(inner, name) for name, inner in schema.get("properties", {}).items()}
        more = schema.get("additionalProperties")
        return made if made or not isinstance(more, dict) else {"name": self.made(more)}


def fits(example: Any, schema: Json) -> bool:
    """Whether it is an example of a schema without references."""
    inner = schema.get("items", {})
    has_references = "$ref" in schema or (isinstance(inner, dict) and "$ref" in inner)
    return not has_references and bool(Draft202012Validator(schema).is_valid(example))
