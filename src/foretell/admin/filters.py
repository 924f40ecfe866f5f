"""Narrowing lists by time."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SINCE = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


class Since(SimpleListFilter):
    """Of the last hour, day, week or month, by `field`. Django's own takes any date that is typed, without a zone."""

    title = _("time")
    parameter_name = "since"
    field = "created_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("hour", _("the last hour")), ("day", _("the last day")), ("week", _("the last week")), ("month", _("the last month")),
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        asked = SINCE.get(self.value() or "")
        return queryset if asked is None else queryset.filter(**{f"{self.field}__gte": timezone.now() - asked})
