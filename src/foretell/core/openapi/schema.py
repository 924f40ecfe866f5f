"""How a view's method becomes an operation."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema

from foretell.core.idempotency.once import Once
from foretell.core.openapi import filters, strict  # noqa: F401  importing registers how they are described
from foretell.core.openapi.headers import IDEMPOTENCY_KEY
from foretell.naming import ALIAS, MODEL

MAX_NUMBER = 2**31 - 1
# What stands in addresses. The URLconf takes more, so that what cannot be a name is answered like what is not there.
PATHS: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "pattern": f"^{MODEL.pattern}$"},
    "alias": {"type": "string", "pattern": f"^{ALIAS.pattern}$"},
    "number": {"type": "integer", "minimum": 1, "maximum": MAX_NUMBER},
    "key": {"type": "string", "minLength": 1, "maxLength": 100},
    "key_id": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
}
_SENTENCE = re.compile(r"(.+?)(?:[.:;](?=\s)|\.?$)", re.DOTALL)


class DocumentedSchema(AutoSchema):
    """Adds a summary, the idempotency key, and what parts of addresses are held to."""

    def get_summary(self) -> str | None:
        """Return the beginning of the description: what a list of operations has room for."""
        found = _SENTENCE.match(" ".join((super().get_description() or "").split()))
        return found.group(1) if found else None

    def get_override_parameters(self) -> list[Any]:
        is_once = self.method == "POST" and Once in getattr(self.view, "throttle_classes", [])
        return [*super().get_override_parameters(), *([IDEMPOTENCY_KEY] if is_once else [])]

    def get_tags(self) -> list[str]:
        return [tag or "index" for tag in super().get_tags()]

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        inherited: Any = super()
        resolved: list[dict[str, Any]] = inherited._resolve_path_parameters(variables)
        return [{**one, "schema": PATHS.get(one["name"], one["schema"])} for one in resolved]
