"""OpenAPI from signatures: each model's predict route with its own field names, types, units, bounds, choices and example."""

from collections.abc import Iterator
from typing import Any

from django.urls import get_script_prefix

from foretell.accounts.permissions import is_visible, principal_of
from foretell.core.openapi.schema import PATHS, DocumentedSchema
from foretell.core.tenancy import PUBLIC_SCHEMA, active
from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import Signature
from foretell.naming import CHAMPION
from foretell.registry.models import ModelVersion
from foretell.registry.signature_schemas import answer_schema, row_schema

JSON = "application/json"
CSV = {"text/csv": {"schema": {"type": "string"}}}
MODELS = "/api/v1/models"
SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}, {"basic": []}, {"session": []}]
ANSWER = {
    "type": "object",
    "required": ["model", "version", "id"],
    "properties": {
        "prediction": {"description": "Of one row."},
        "predictions": {"type": "array", "items": {}, "description": "Of many rows."},
        "model": {"type": "string"},
        "version": {"type": "integer"},
        "id": {"type": "string", "format": "uuid"},
    },
    "examples": [{"prediction": "setosa", "model": "iris", "version": 3, "id": "01a1fd19-5c37-7fea-93a3-387aa748e341"}],
}
_DOCUMENT: dict[str, Any] = {"type": "object", "required": ["openapi"], "examples": [{"openapi": "3.1.1"}]}
# drf-spectacular does not describe its own views.
OWN_ROUTES: dict[str, Any] = {
    "/api/v1/schema/": {
        "get": {
            "operationId": "schema_read",
            "summary": "This document",
            "description": "This document: OpenAPI 3.1, with the models that you may see.",
            "tags": ["schema"],
            "security": SECURITY,
            "responses": {
                "200": {
                    "description": "The document; as YAML where nothing else is asked for.",
                    "content": {
                        kind: {"schema": _DOCUMENT}
                        for kind in (
                            "application/vnd.oai.openapi+json",
                            "application/vnd.oai.openapi",
                            JSON,
                            "application/yaml",
                        )
                    },
                }
            },
        }
    },
}


class PredictSchema(DocumentedSchema):
    """Keeps the general predict routes out: `add_predict_routes` puts them in, and one per model, which says more."""

    def is_excluded(self) -> bool:
        return True


def add_predict_routes(result: dict[str, Any], request: Any = None, **_: Any) -> dict[str, Any]:
    """Add each served model's predict route to a tenant's document; a drf-spectacular post-processing hook."""
    result["paths"] |= {**general_routes(), **OWN_ROUTES}
    if (prefix := get_script_prefix().rstrip("/")) != "":
        result["servers"] = [{"url": prefix}]  # read below /t/<tenant>/, its addresses are there too
    tenant = active()
    if tenant is None or tenant.schema_name == PUBLIC_SCHEMA or request is None:
        return result
    for version, signature in champions(request):
        name = version.model.name
        result["paths"][f"{MODELS}/{name}/predict/"] = {"post": champion_operation(name, version, signature)}
    return result


def champions(request: Any) -> Iterator[tuple[ModelVersion, Signature]]:
    """Yield what the caller may see of what is served. Security: a key limited to some models reads of no other."""
    principal = principal_of(request)
    served = ModelVersion.objects.ready().filter(aliases__name=CHAMPION, model__archived_at=None)
    for version in served.select_related("model").order_by("model__name"):
        if is_visible(principal, version.model.name):
            try:
                yield version, version.read_signature()
            except InvalidSignature:  # the row was tampered with: it is not served either
                continue


def champion_operation(name: str, version: ModelVersion, signature: Signature) -> dict[str, Any]:
    example = {item.name: item.example for item in signature.inputs if item.example is not None}
    examples = {"one row": {"value": example}, "many rows": {"value": {"instances": [example]}}}
    return predict_operation(
        f"predict_{name}", name, version.model.description or f"Version {version.number}, the champion.",
        row=row_schema(signature), answer=answer_schema(signature), examples=examples, tag=name,
    )  # fmt: skip


def general_routes() -> dict[str, Any]:
    """Describe the addresses by which any version is asked, whose fields are those of its own signature."""
    name, alias, number = _parameter("name"), _parameter("alias"), _parameter("number")
    champion = _general_operation("predict", "Ask the champion", [name])
    by_alias = _general_operation("predict_alias", "Ask the version behind an alias", [name, alias])
    by_number = _general_operation("predict_version", "Ask a version by its number", [name, number])
    return {
        f"{MODELS}/{{name}}/predict/": {"post": champion},
        f"{MODELS}/{{name}}@{{alias}}/predict/": {"post": by_alias},
        f"{MODELS}/{{name}}/versions/{{number}}/predict/": {"post": by_number},
    }


def predict_operation(
    operation_id: str, summary: str, description: str, *, row: dict[str, Any], answer: dict[str, Any], tag: str,
    examples: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    rows = {
        "type": "object",
        "required": ["instances"],
        "additionalProperties": False,
        "properties": {"instances": {"type": "array", "minItems": 1, "items": row}},
    }
    body = {"schema": {"oneOf": [row, rows]}, **({"examples": examples} if examples else {})}
    answered = {"description": "The answer.", "content": {JSON: {"schema": answer}, **CSV}}
    return {
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "tags": [tag],
        "security": SECURITY,
        "requestBody": {"required": True, "content": {JSON: body, **CSV}},
        "responses": {"200": answered},
    }


def _general_operation(operation_id: str, summary: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    row, example = {"type": "object", "additionalProperties": {}}, {"sepal_length": 5.1, "sepal_width": 3.5}
    operation = predict_operation(
        operation_id, summary, "Its fields are in the version's signature.", row=row, answer=ANSWER, tag="predict",
        examples={"one row": {"value": example}, "many rows": {"value": {"instances": [example]}}},
    )  # fmt: skip
    return {**operation, "parameters": parameters}


def _parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": PATHS[name]}
