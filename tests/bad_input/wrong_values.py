"""What is wrong for a field, by what the schema says of it: another type, too long, too short, out of range, no choice, no such form."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
BY_TYPE: dict[str, tuple[Any, ...]] = {
    "string": ("a text",), "integer": (7,), "number": (7, 7.5), "boolean": (True,), "array": (["x"],), "object": ({"x": 1},),
    "null": (None,),
}  # fmt: skip
NO_FORM = {"email": "no address", "date-time": "yesterday", "uuid": "no id", "uri": "no address"}


class Document:
    """The schema of this tenant."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths: dict[str, Any] = document["paths"]
        self._components = document["components"]["schemas"]

    def resolved(self, schema: Schema) -> Schema:
        """Return a schema without references; of several, the first that is not null; whether null is taken is in its type."""
        while "$ref" in schema:
            schema = self._components[schema["$ref"].rsplit("/", 1)[1]]
        for name in ("allOf", "oneOf", "anyOf"):
            parts = [self.resolved(part) for part in schema.get(name, ())]
            said = [part for part in parts if part.get("type") != "null" and part.get("enum") not in ([None], [""])]
            if said:
                is_nullable = len(said) < len([part for part in parts if part.get("enum") != [""]])
                extra = {"x-blank": True} if any(part.get("enum") == [""] for part in parts) else {}
                merged = {**{key: value for key, value in schema.items() if key != name}, **said[0], **extra}
                return {**merged, "type": [*types_of(merged), "null"]} if is_nullable else merged
        return schema

    def properties(self, schema: Schema) -> dict[str, Schema]:
        return {name: self.resolved(one) for name, one in self.resolved(schema).get("properties", {}).items()}

    def body_of(self, path: str, method: str, media_type: str = "application/json") -> Schema | None:
        content = self.paths.get(path, {}).get(method.lower(), {}).get("requestBody", {}).get("content", {})
        return self.resolved(content[media_type]["schema"]) if media_type in content else None

    def shown_by(self, path: str, method: str) -> set[str]:
        """Return the names of what is answered: those that are not sent are only read."""
        answers = self.paths.get(path, {}).get(method.lower(), {}).get("responses", {})
        for status in ("200", "201"):
            schema = answers.get(status, {}).get("content", {}).get("application/json", {}).get("schema")
            if schema is not None:
                return set(self.properties(schema))
        return set()

    def wrong_values(self, name: str, schema: Schema) -> Iterator[tuple[str, Any]]:
        """Yield wrong values of a field, each with the path at which it is wrong."""
        types = types_of(schema)
        for kind, examples in BY_TYPE.items():
            is_number = kind == "integer" and "number" in types
            if kind not in types and not is_number and not (kind == "number" and "integer" in types):
                yield from ((name, example) for example in examples)
        if "integer" in types:
            yield name, 7.5
        yield from ((name, value) for value in _out_of_bounds(schema))
        if "array" in types and "items" in schema:
            items = self.resolved(schema["items"])
            good = example_of(items)
            yield from ((f"{name}.0", [value]) for _, value in self.wrong_values(name, items))
            yield from ((f"{name}.1", [good, value]) for _, value in list(self.wrong_values(name, items))[:1])
        for inner, one in self.properties(schema).items() if "object" in types else ():
            yield from ((f"{name}.{path}", {inner: value}) for path, value in self.wrong_values(inner, one))
        if "object" in types and schema.get("properties"):
            yield f"{name}.surprise", {"surprise": 1}


def types_of(schema: Schema) -> tuple[str, ...]:
    found = schema.get("type", "string" if "enum" in schema else "object" if "properties" in schema else ())
    return (found,) if isinstance(found, str) else tuple(found)


def example_of(schema: Schema) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return next((BY_TYPE[kind][0] for kind in types_of(schema)), None)


def _out_of_bounds(schema: Schema) -> Iterator[Any]:
    if "enum" in schema:
        yield "no such choice"
    if "maxLength" in schema:
        yield "a" * (schema["maxLength"] + 1)
    if schema.get("minLength"):
        yield ""
    if schema.get("format") in NO_FORM:
        yield NO_FORM[schema["format"]]
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if schema.get("minItems"):
        yield []
    if "maxItems" in schema:
        yield ["a"] * (schema["maxItems"] + 1)
