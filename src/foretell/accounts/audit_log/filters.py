"""What the audit is narrowed to; times are ISO 8601, and `__lt` is not included."""

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from foretell.audit.actors import Credential, Face
from foretell.audit.models import Entry


class AuditFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    action = filters.CharFilter(
        method="by_action", max_length=60, help_text="Such as alias.moved; alias. for all of them."
    )
    actor = filters.CharFilter(method="by_actor", max_length=200, help_text="Who, by name or id.")
    target_kind = filters.CharFilter(max_length=40, help_text="Such as model, version, alias, user or key.")
    target = filters.CharFilter(
        method="by_target", max_length=200, help_text="What, by id or name, such as wine@champion."
    )
    credential = filters.ChoiceFilter(choices=[(one.value, one.value) for one in Credential])
    credential_id = filters.CharFilter(max_length=64, help_text="The id of a key, or of a token's sign-in.")
    face = filters.ChoiceFilter(choices=[(one.value, one.value) for one in Face])
    address = filters.CharFilter(max_length=100)
    request_id = filters.CharFilter(max_length=128)
    at__gte = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    at__lt = filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Entry
        fields: list[str] = []

    def by_action(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(action__startswith=value) if value.endswith(".") else found.filter(action=value)

    def by_actor(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(Q(actor_id=value) | Q(actor_name=value))

    def by_target(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(Q(target_id=value) | Q(target_name=value))
