"""What may stand behind the `?` of a list, with what it is held to."""

from typing import Any

from drf_spectacular.contrib.django_filters import DjangoFilterExtension

from foretell.core.queries import entries_of


class StrictFilters(DjangoFilterExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    """As drf-spectacular's own, with lengths, and with the entries that django-filter knows nothing of."""

    target_class = "foretell.core.queries.Filters"
    priority = 1

    def get_schema_operation_parameters(self, auto_schema: Any, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        inherited: Any = super()
        declared: list[dict[str, Any]] = inherited.get_schema_operation_parameters(auto_schema, *args, **kwargs)
        return [*declared, *(entries.parameter() for entries in entries_of(auto_schema.view).values())]

    def resolve_filter_field(
        self, auto_schema: Any, model: Any, filterset_class: Any, field_name: str, filter_field: Any
    ) -> list[dict[str, Any]]:
        inherited: Any = super()
        parameters = inherited.resolve_filter_field(auto_schema, model, filterset_class, field_name, filter_field)
        bounds = {"max_length": "maxLength", "min_value": "minimum", "max_value": "maximum"}
        stated = {name: filter_field.extra[key] for key, name in bounds.items() if key in filter_field.extra}
        return [{**parameter, "schema": {**parameter["schema"], **stated}} for parameter in parameters]
