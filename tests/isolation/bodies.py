"""What of a call names things beside its address: the fields of its body, and a list's filters."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.isolation.calling import Call, changed
from tests.isolation.twins import Ids


def filters_of(call: Call) -> list[str]:
    """Return the parameters that a list is narrowed by, as its view declares them."""
    from django.urls import resolve

    if call.method != "GET" or call.route in ("oip", "kserve", "mlflow"):
        return []
    view = getattr(resolve(call.path.partition("?")[0]).func, "cls", None)
    declared = getattr(getattr(view, "filterset_class", None), "base_filters", {})
    return [*declared, "search", "ordering", "cursor"] if declared else []


def places(call: Call) -> list[str]:
    return [*_leaves(call), *(["field"] if _kind(call) else [])]


def bodies(call: Call, ids: Ids) -> Iterator[Mapping[str, Any]]:
    """Yield the body with one value after the other as another's, and with fields that name what is another's."""
    kind = _kind(call)
    if not kind:
        return
    body = call.options[kind]
    for name in _leaves(call):
        yield {**call.options, kind: {**body, name: _body_value(body[name], ids)}}
    yield {
        **call.options,
        kind: {**body, "id": ids.uuid(), "tenant": ids.text, "user_id": ids.uuid(), "model": ids.text},
    }


def _leaves(call: Call) -> list[str]:
    kind = _kind(call)
    return sorted(call.options[kind]) if kind and not call.predicts else []


def _kind(call: Call) -> str:
    """Return where the body's fields are; "" where it has none."""
    return next((kind for kind in ("json", "data") if isinstance(call.options.get(kind), dict)), "")


def _body_value(value: Any, ids: Ids) -> Any:
    if isinstance(value, dict):
        return {**value, ids.text: ids.text}
    if isinstance(value, str) and value.startswith("{"):
        return json.dumps(
            {**json.loads(value), "alias": ids.text, "lineage": {"parent": {"model": "sum", "version": ids.number}}}
        )
    return changed(value, ids)
