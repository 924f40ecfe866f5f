"""What lists are narrowed to; times are ISO 8601, and `__lt` is not included."""

from typing import Any

from django.db.models import Expression, FilteredRelation, Q, QuerySet
from django_filters import rest_framework as filters

from foretell.core.entries import Entries
from foretell.naming import CHAMPION
from foretell.registry.models import Alias, ModelVersion, RegisteredModel, State


class TimestampedFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    created_by = filters.CharFilter(field_name="created_by__username_key", method="by_name", max_length=150)
    created_at__gte = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_at__lt = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    def by_name(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        from foretell.accounts.folding import folded

        return found.filter(**{name: folded(value)})


class ModelFilters(TimestampedFilters):
    name = filters.CharFilter(max_length=100)
    name__startswith = filters.CharFilter(field_name="name", lookup_expr="startswith", max_length=100)
    task = filters.CharFilter(
        method="by_task", max_length=40, help_text="What the champion answers, such as regression."
    )
    alias = filters.CharFilter(method="by_alias", max_length=50, help_text="Models that have this alias.")
    archived = filters.BooleanFilter(
        method="by_archived", help_text="true: those out of use; false, and by default: those in use."
    )
    updated_at__gte = filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")
    updated_at__lt = filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="lt")

    class Meta:
        model = RegisteredModel
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.form.cleaned_data["archived"] is None:
            queryset = queryset.filter(archived_at=None)
        found: QuerySet[Any] = super().filter_queryset(queryset)
        return found

    def by_task(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        champions = Alias.objects.filter(name=CHAMPION, version__task=value)
        return found.filter(pk__in=champions.values("model_id"))

    def by_alias(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(pk__in=Alias.objects.filter(name=value).values("model_id"))

    def by_archived(self, found: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return found.filter(archived_at__isnull=not value)


class VersionFilters(TimestampedFilters):
    state = filters.ChoiceFilter(choices=State.choices)
    runtime = filters.ChoiceFilter(choices=[("onnx", "onnx"), ("python", "python")])
    task = filters.CharFilter(max_length=40)
    alias = filters.CharFilter(
        field_name="aliases__name", max_length=50, help_text="The version that this alias points at."
    )
    sha256 = filters.CharFilter(max_length=64)

    class Meta:
        model = ModelVersion
        fields: list[str] = []


class AliasFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    alias = filters.CharFilter(field_name="name", max_length=50)
    version = filters.NumberFilter(field_name="version__number", min_value=1, max_value=2**31 - 1, decimal_places=0)

    class Meta:
        model = Alias
        fields: list[str] = []


def of_champions(found: QuerySet[Any], condition: Expression) -> QuerySet[Any]:
    """Return the models whose champion meets a condition."""
    return found.filter(pk__in=Alias.objects.filter(name=CHAMPION).filter(condition).values("model_id"))


def with_champions(found: QuerySet[Any]) -> tuple[QuerySet[Any], str]:
    """Join the champions. Optimization: a subquery for each model costs the database twice as much."""
    champion = FilteredRelation("aliases", condition=Q(aliases__name=CHAMPION))
    return found.annotate(champion=champion), "champion__version__metrics"


def as_they_are(found: QuerySet[Any]) -> tuple[QuerySet[Any], str]:
    return found, "metrics"


TAGS = Entries(prefix="tag", column="tags", has_numbers=False)
CHAMPION_METRICS = Entries(
    prefix="metric", column="version__metrics", has_numbers=True, narrow=of_champions, ordered_in=with_champions
)
METRICS = Entries(prefix="metric", column="metrics", has_numbers=True, ordered_in=as_they_are)
