"""Who changed what; only read."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from foretell.accounts.permissions import may_read_audit, principal_of
from foretell.admin.filters import Since
from foretell.admin.paging import CappedPaginator
from foretell.admin.service_admin import ServiceAdmin
from foretell.audit.models import Entry


class SinceAt(Since):
    field = "at"


class AuditAdmin(ServiceAdmin):
    """Of either chain."""

    words = ("audit entry", "audit entries")

    shown = (
        "position", "at", "action", "target_kind", "target_id", "target_name", "was", "became", "actor_name", "actor_id", "credential",
        "credential_id", "face", "address", "request_id", "digest",
    )  # fmt: skip
    has_history = False
    paginator = CappedPaginator
    list_display = ("position", "at", "action", "target_kind", "target", "actor_name", "credential", "face", "address")
    list_display_links = ("position", "action")
    list_filter = (SinceAt,)
    search_fields = ("=action", "=actor_name", "=target_id", "=target_name", "=request_id")
    search_help_text = _("An action, a name, an id of a target or of a request, as it stands there.")
    ordering = ("-position",)

    @admin.display(description=_("target"))
    def target(self, obj: Any) -> str:
        return str(obj.target_name or obj.target_id)

    @admin.display(description=_("before"))
    def was(self, obj: Any) -> str:
        return _pretty(obj.before)

    @admin.display(description=_("after"))
    def became(self, obj: Any) -> str:
        return _pretty(obj.after)


class EntryAdmin(AuditAdmin):
    def may_see(self, request: HttpRequest) -> bool:
        return may_read_audit(principal_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return Entry.objects.exclude(position=None).order_by("-position")


def _pretty(values: dict[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values, indent=2, ensure_ascii=False)
