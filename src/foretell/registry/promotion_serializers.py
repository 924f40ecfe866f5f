"""How promotions that wait for a second person look from outside."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.reverse import reverse

from foretell.accounts.folding import folded
from foretell.core.strict import StrictCharField, StrictSerializer
from foretell.registry.promotion_requests import PromotionRequest, RequestState


class PromotionSerializer(serializers.ModelSerializer[PromotionRequest]):
    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    from_version = serializers.IntegerField(
        source="from_number",
        read_only=True,
        allow_null=True,
        help_text="Where the alias pointed when it was asked for.",
    )
    requested_by = serializers.CharField(source="requested_by.username", read_only=True)
    requested_at = serializers.DateTimeField(source="created_at", read_only=True)
    decided_by = serializers.CharField(source="decided_by.username", read_only=True, default=None, allow_null=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = PromotionRequest
        fields = [
            "id", "model", "alias", "version", "from_version", "allow_signature_change", "state", "requested_by", "requested_at",
            "decided_by", "decided_at", "comment", "url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_url(self, request: PromotionRequest) -> str:
        return reverse("registry:promotion", args=[request.model.name, request.pk], request=self.context["request"])


class DecisionSerializer(StrictSerializer):
    shown = tuple(name for name in PromotionSerializer.Meta.fields if name != "comment")

    comment = StrictCharField(max_length=1_000, required=False, allow_blank=True, default="", help_text="Why.")


class PromotionFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    model = filters.CharFilter(field_name="model__name", max_length=100)
    alias = filters.CharFilter(max_length=50)
    state = filters.ChoiceFilter(choices=RequestState.choices)
    requested_by = filters.CharFilter(method="by_requester", max_length=150, help_text="Whose, by name.")

    class Meta:
        model = PromotionRequest
        fields: list[str] = []

    def by_requester(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(requested_by__username_key=folded(value))
