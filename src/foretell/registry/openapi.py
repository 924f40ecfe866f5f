"""OpenAPI from signatures: each model's predict route with its own field names, types, units, bounds, choices and example."""

from collections.abc import Iterator
from typing import Any

from django.urls import get_script_prefix

from foretell.accounts.permissions import is_visible, principal_of
from foretell.core.openapi.schema import DocumentedSchema
from foretell.core.tenancy import PUBLIC_SCHEMA, active
from foretell.inference.errors import InvalidSignature
from foretell.inference.signature import Signature
from foretell.naming import CHAMPION
from foretell.registry.models import ModelVersion
from foretell.registry.openapi_predict import JSON, SECURITY, add_model, general_routes

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
        add_model(result, version, signature)
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
