"""OpenAPI from signatures: each model's predict route with its own field names, types, units, bounds, choices and example."""

from collections.abc import Iterator
from typing import Any

from django.urls import get_script_prefix
from drf_spectacular.openapi import AutoSchema

from foretell.accounts.permissions import is_visible, principal_of
from foretell.core.tenancy import PUBLIC_SCHEMA, active
from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import Signature
from foretell.naming import ALIAS, CHAMPION, MODEL
from foretell.registry.models import ModelVersion
from foretell.registry.signature_schemas import FAILURES, PROBLEM, answer_schema, row_schema

JSON = "application/json"
CSV = {"text/csv": {"schema": {"type": "string"}}}
MODELS = "/api/v1/models"


class PredictSchema(AutoSchema):
    """Keeps the general predict routes out: `add_predict_routes` puts them in, and one per model, which says more."""

    def is_excluded(self) -> bool:
        return True


def add_predict_routes(result: dict[str, Any], request: Any = None, **_: Any) -> dict[str, Any]:
    """Add each served model's predict route to a tenant's document; a drf-spectacular post-processing hook."""
    result["paths"] |= general_routes()
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
    """Describe the addresses of versions other than the champion, whose fields are those of their own signature."""
    name, alias = _parameter("name", pattern=MODEL.pattern), _parameter("alias", pattern=ALIAS.pattern)
    number = _parameter("number", type="integer", minimum=1)
    by_alias = _general_operation("predict_alias", "Ask the version behind an alias", [name, alias])
    by_number = _general_operation("predict_version", "Ask a version by its number", [name, number])
    return {
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
        "security": [{"bearer": []}, {"apiKey": []}, {"basic": []}, {"session": []}],
        "requestBody": {"required": True, "content": {JSON: body, **CSV}},
        "responses": {"200": answered, **{code: _failure(text) for code, text in FAILURES.items()}},
    }


def _general_operation(operation_id: str, summary: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    operation = predict_operation(
        operation_id, summary, "Its fields are in the version's signature.", row={"type": "object"}, answer={"type": "object"},
        tag="models",
    )  # fmt: skip
    return {**operation, "parameters": parameters}


def _parameter(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", **schema}}


def _failure(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/problem+json": {"schema": PROBLEM}}}
