"""What was predicted, by whom, when and how long it took; inputs and outputs are left to the log's own pages and its API."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foretell.accounts.models import User
from foretell.accounts.permissions import log_reach, principal_of
from foretell.admin.filters import SINCE, Since
from foretell.admin.paging import CappedPaginator
from foretell.admin.service_admin import ServiceAdmin
from foretell.monitoring.models import Prediction


class SinceByID(Since):
    """Optimization: ids sort by time, so that the log's primary key serves."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        asked = SINCE.get(self.value() or "")
        return queryset if asked is None else queryset.since(timezone.now() - asked)


class PredictionAdmin(ServiceAdmin):
    shown = (
        "id", "at", "model", "version", "face", "who", "user_id", "key_id", "request_id", "n_rows", "duration_us", "n_warnings",
    )  # fmt: skip
    has_history = False
    paginator = CappedPaginator
    list_display = ("id", "at", "model", "version", "face", "who", "n_rows", "duration_us", "n_warnings")
    list_filter = (SinceByID,)
    search_fields = ("model__exact",)  # the log has millions of rows, and an index of models
    search_help_text = _("A model's name, as it stands there.")
    sortable_by = ("id",)

    @admin.display(description=_("who"))
    def who(self, obj: Any) -> str:
        return obj.username or str(obj.user_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        name = User.objects.filter(pk=OuterRef("user_id")).values("username")[:1]
        return Prediction.objects.within(log_reach(principal_of(request))).listed().annotate(username=Subquery(name))
