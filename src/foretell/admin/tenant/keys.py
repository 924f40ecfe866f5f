"""API keys: whose, for what, until when. Security: a key's secret is nowhere here, nor what is stored of it; keys are made elsewhere."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foretell.accounts import api_keys
from foretell.accounts.models import APIKey
from foretell.accounts.permissions import managed_roles, may_read_audit, may_see_keys, principal_of
from foretell.accounts.serializers import state_of
from foretell.admin.filters import Since
from foretell.admin.service_admin import ServiceAdmin


class KeyAdmin(ServiceAdmin):
    words = ("API key", "API keys")
    shown = (
        "key_id", "name", "user", "state", "scopes", "model_names", "created_by", "created_at", "last_used_at", "expires_at",
        "revoked_at", "rolled_to",
    )  # fmt: skip
    writes = frozenset({"delete"})
    removal = _("The key is revoked, for good: what uses it is refused from now on.")
    list_display = ("__str__", "name", "user", "state", "scopes", "created_at", "last_used_at", "expires_at")
    list_filter = (Since, ("revoked_at", admin.EmptyFieldListFilter), ("expires_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "user__username", "key_id")

    @admin.display(description=_("state"))
    def state(self, obj: APIKey) -> str:
        return state_of(obj, timezone.now())

    def get_queryset(self, request: HttpRequest) -> QuerySet[APIKey]:
        """Return the keys of those whom one manages, and one's own; the others are not there."""
        principal = principal_of(request)
        reach = Q(user_id=principal.user.pk) | Q(user__role__in=managed_roles(principal))
        rows = APIKey.objects.filter(reach, user__removed_at=None).defer("secret_digest")
        return rows.select_related("user", "created_by", "rolled_to").order_by("-created_at", "pk")

    def may_write(self, request: HttpRequest, obj: APIKey) -> bool:
        return obj.revoked_at is None and may_see_keys(principal_of(request), obj.user)

    def may_read_history(self, request: HttpRequest) -> bool:
        return may_read_audit(principal_of(request))

    def audit_target(self, obj: APIKey) -> tuple[str, str]:
        return "key", obj.key_id

    def remove(self, request: HttpRequest, obj: APIKey) -> None:
        api_keys.revoke_key(key=obj, now=timezone.now(), by=principal_of(request))
