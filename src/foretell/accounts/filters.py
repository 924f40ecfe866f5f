"""What lists of people, keys and invitations are narrowed to; times are ISO 8601, and `__lt` is not included."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters

from foretell.accounts.folding import folded
from foretell.accounts.models import APIKey, Invitation, User
from foretell.accounts.roles import Role, Scope

KINDS = [("person", "A person"), ("service", "A service account")]
KEY_STATES = [
    ("valid", "Valid"),
    ("rolled", "Valid, and has a successor"),
    ("expired", "Expired"),
    ("revoked", "Revoked"),
]
INVITATION_STATES = [(state, state) for state in ("open", "expired", "accepted", "revoked")]


class UserFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    username = filters.CharFilter(method="by_username", max_length=150, help_text="In any case.")
    role = filters.ChoiceFilter(choices=Role.choices)
    kind = filters.ChoiceFilter(choices=KINDS, method="by_kind")
    is_active = filters.BooleanFilter()
    last_login__lt = filters.IsoDateTimeFilter(field_name="last_login", lookup_expr="lt")
    last_login__isnull = filters.BooleanFilter(field_name="last_login", lookup_expr="isnull")
    created_at__gte = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_at__lt = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = User
        fields: list[str] = []

    def by_username(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(username_key=folded(value))

    def by_kind(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(is_person=value == "person")


class KeyFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    user = filters.CharFilter(method="by_user", max_length=150, help_text="Whose keys, by name.")
    state = filters.ChoiceFilter(choices=KEY_STATES, method="by_state")
    scope = filters.ChoiceFilter(choices=Scope.choices, method="by_scope")
    model = filters.CharFilter(
        method="by_model", max_length=100, help_text="Keys that are limited to some models, this one among them."
    )
    last_used_at__lt = filters.IsoDateTimeFilter(field_name="last_used_at", lookup_expr="lt")
    last_used_at__isnull = filters.BooleanFilter(field_name="last_used_at", lookup_expr="isnull")
    expires_at__lt = filters.IsoDateTimeFilter(field_name="expires_at", lookup_expr="lt")
    created_at__gte = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_at__lt = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = APIKey
        fields: list[str] = []

    def by_user(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(user__username_key=folded(value))

    def by_state(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value == "revoked":
            return found.filter(revoked_at__isnull=False)
        ended = Q(expires_at__lte=timezone.now())
        found = found.filter(revoked_at=None)
        return (
            found.filter(ended)
            if value == "expired"
            else found.exclude(ended).filter(rolled_to__isnull=value == "valid")
        )

    def by_scope(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(scopes__contains=[value])

    def by_model(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(model_names__contains=[value])


class InvitationFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    email = filters.CharFilter(method="by_email", max_length=254, help_text="In any case.")
    role = filters.ChoiceFilter(choices=Role.choices)
    state = filters.ChoiceFilter(choices=INVITATION_STATES, method="by_state")
    created_at__gte = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_at__lt = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Invitation
        fields: list[str] = []

    def by_email(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return found.filter(email_key=folded(value))

    def by_state(self, found: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value in ("accepted", "revoked"):
            return found.filter(**{f"{value}_at__isnull": False})
        over = Q(expires_at__lte=timezone.now())
        found = found.filter(accepted_at=None, revoked_at=None)
        return found.filter(over) if value == "expired" else found.exclude(over)
