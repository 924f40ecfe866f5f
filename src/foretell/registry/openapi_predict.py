"""The operations that predict: one for each served model, with its own fields, and the general ones, for any version."""

from typing import Any

from foretell.core.openapi.schema import PATHS
from foretell.inference.signature import Signature
from foretell.registry.models import ModelVersion
from foretell.registry.signature_schemas import ANSWERED_BY, answer_schema, answers_schema, row_schema, values_schema

Json = dict[str, Any]

MODELS = "/api/v1/models"
JSON = "application/json"
CSV: Json = {"text/csv": {"schema": {"contentMediaType": "text/csv"}}}
CSV_ANSWER: Json = {"text/csv": {"schema": {"type": "string"}}}
SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}, {"basic": []}, {"session": []}]
ANSWER: Json = {
    "type": "object",
    "required": [*ANSWERED_BY],
    "properties": {
        "prediction": {"description": "Of one row."},
        "predictions": {"type": "array", "items": {}, "description": "Of many rows."},
        **ANSWERED_BY,
    },
    "examples": [{"prediction": "setosa", "model": "iris", "version": 3, "id": "01a1fd19-5c37-7fea-93a3-387aa748e341"}],
}
ROW_EXAMPLE = {"sepal_length": 5.1, "sepal_width": 3.5}


def add_model(result: Json, version: ModelVersion, signature: Signature) -> None:
    """Add a model's predict, and what its rows and its answers are as components: generated clients name their classes so."""
    name = version.model.name
    row = row_schema(signature)
    schemas = {
        "Row": row, "Rows": _rows({"oneOf": [_component(name, "Row"), values_schema(signature)]}), "Answer": answer_schema(signature), "Answers": answers_schema(signature)
    }  # fmt: skip
    result["components"]["schemas"] |= {f"{name}.{kind}": schema for kind, schema in schemas.items()}
    operation = _operation(
        f"predict_{name}", name, version.model.description or f"Version {version.number}, the champion.",
        body={"oneOf": [_component(name, "Row"), _component(name, "Rows")]},
        answer={"oneOf": [_component(name, "Answer"), _component(name, "Answers")]}, example=_example(row, signature),
    )  # fmt: skip
    result["paths"][f"{MODELS}/{name}/predict/"] = {"post": operation}


def general_routes() -> Json:
    """Describe the addresses by which any version is asked, whose fields are those of its own signature."""
    name, alias, number = _parameter("name"), _parameter("alias"), _parameter("number")
    champion = _general("ask_champion", "Ask the champion", [name])
    by_alias = _general("ask_alias", "Ask the version behind an alias", [name, alias])
    by_number = _general("ask_version", "Ask a version by its number", [name, number])
    return {
        f"{MODELS}/{{name}}/predict/": {"post": champion},
        f"{MODELS}/{{name}}@{{alias}}/predict/": {"post": by_alias},
        f"{MODELS}/{{name}}/versions/{{number}}/predict/": {"post": by_number},
    }


def _general(operation_id: str, summary: str, parameters: list[Json]) -> Json:
    row: Json = {"type": "object", "additionalProperties": {}}
    instance: Json = {"anyOf": [row, {"type": "array", "items": {}}]}
    operation = _operation(
        operation_id, summary, "Its fields are in the version's signature.", body={"anyOf": [row, _rows(instance)]}, answer=ANSWER,
        example=ROW_EXAMPLE,
    )  # fmt: skip
    return {**operation, "parameters": parameters}


def _operation(
    operation_id: str, summary: str, description: str, *, body: Json, answer: Json, example: Json | None
) -> Json:
    examples = {"one row": {"value": example}, "many rows": {"value": {"instances": [example]}}}
    asked = {"schema": body, **({"examples": examples} if example else {})}
    return {
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "tags": ["predict"],
        "security": SECURITY,
        "requestBody": {"required": True, "content": {JSON: asked, **CSV}},
        "responses": {"200": {"description": "The answer.", "content": {JSON: {"schema": answer}, **CSV_ANSWER}}},
    }


def _rows(row: Json) -> Json:
    return {
        "type": "object",
        "required": ["instances"],
        "additionalProperties": False,
        "properties": {"instances": {"type": "array", "minItems": 1, "items": row}},
    }


def _example(row: Json, signature: Signature) -> Json | None:
    """Return the author's own example of a row, where each field that is required has one."""
    example = {item.name: item.example for item in signature.inputs if item.example is not None}
    return example if set(row["required"]) <= example.keys() else None


def _component(name: str, kind: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}.{kind}"}


def _parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": PATHS[name]}
