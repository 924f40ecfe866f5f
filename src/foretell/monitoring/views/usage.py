from datetime import datetime
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, log_reach, principal_of
from foretell.core.browsable import BrowsableRenderer
from foretell.core.exports import (
    EXPORT_RENDERERS,
    CSVRenderer,
    ExcelRenderer,
    ParquetRenderer,
    Table,
    export_response,
    for_tenant,
    is_export,
)
from foretell.core.pagination import check_pages
from foretell.core.queries import unknown_parameters
from foretell.core.tenancy import current_tenant
from foretell.monitoring import usage
from foretell.monitoring.models import UsageHour

MAX_GROUPS = 4
GROUP = "|".join(usage.GROUPS)


@extend_schema_field({"type": "string", "pattern": f"^({GROUP})(,({GROUP})){{0,{MAX_GROUPS - 1}}}$"})
class GroupsField(serializers.CharField):
    """Names of groups, such as `model,day`."""

    def to_internal_value(self, data: Any) -> Any:
        names = list(dict.fromkeys(name.strip() for name in super().to_internal_value(data).split(",")))
        unknown = [name for name in names if name not in usage.GROUPS]
        if unknown or len(names) > MAX_GROUPS:
            expected = ", ".join(usage.GROUPS)
            raise serializers.ValidationError(
                f"Found {data!r:.80}; expected at most {MAX_GROUPS} of {expected}, with commas between."
            )
        return names


class UsageFilters(serializers.Serializer[Any]):
    """Which part of the ledger; times are ISO 8601, hours count whole, and `to` is not included."""

    to = serializers.DateTimeField(required=False)
    by = GroupsField(
        required=False, help_text="What to tell apart: month, day, hour, model, version, user, key; with commas."
    )
    model = serializers.CharField(required=False, max_length=100)
    version = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    key = serializers.CharField(required=False, max_length=16, help_text="The id of an API key.")

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is no name in Python."""
        return {"from": serializers.DateTimeField(required=False), **super().get_fields()}


class UsedSerializer(serializers.Serializer[Any]):
    """What was used of one group; of the groups those are there that were asked for."""

    month = serializers.DateTimeField(required=False)
    day = serializers.DateTimeField(required=False)
    hour = serializers.DateTimeField(required=False)
    model = serializers.CharField(required=False)
    version = serializers.IntegerField(required=False)
    user = serializers.CharField(required=False, allow_null=True)
    key = serializers.CharField(required=False, allow_null=True)
    requests = serializers.IntegerField()
    rows = serializers.IntegerField()
    duration_s = serializers.FloatField()
    cpu_s = serializers.FloatField(help_text="The processor's time in it.")
    bytes = serializers.IntegerField()


class UsageView(generics.GenericAPIView[UsageHour]):
    """What was used, by the hour: an admin sees the tenant's, anybody else their own. It stays when the log's rows go.

    Without `from` and `to` it is this month's. A prediction that was just answered is counted within about a second.
    """

    required_actions = {"GET": Action.READ_LOG}
    serializer_class = UsedSerializer
    renderer_classes = [JSONRenderer, BrowsableRenderer, *EXPORT_RENDERERS]
    queryset = UsageHour.objects.none()

    @extend_schema(
        operation_id="usage_list",
        parameters=[UsageFilters],
        responses={
            (200, "application/json"): UsedSerializer(many=True),
            (200, CSVRenderer.media_type): OpenApiResponse(OpenApiTypes.STR, description="All of it, streamed."),
            (200, ExcelRenderer.media_type): OpenApiResponse(OpenApiTypes.BINARY),
            (200, ParquetRenderer.media_type): OpenApiResponse(OpenApiTypes.BINARY),
        },
    )
    def get(self, request: Request) -> Response | HttpResponseBase:
        wanted = _wanted(request)
        period, by = _period(wanted, timezone.now()), wanted.pop("by", ["model"])
        only = {"key_id" if name == "key" else name: value for name, value in wanted.items()}
        found = usage.used(period, reach=log_reach(principal_of(request)), **only)
        if is_export(request):
            check_pages(request)
            table = usage.usage_table(found, by)
            return export_response(request, Table(table.name, table.columns, for_tenant(current_tenant(), table.parts)))
        page = self.paginate_queryset(usage.grouped(found, by)) or []
        answer = self.get_paginated_response(usage.told(page, by))
        answer.data |= {"from": period.begin, "to": period.end, "by": by, "total": usage.total(found)}
        return answer


def _wanted(request: Request) -> dict[str, Any]:
    filters = UsageFilters(data=request.query_params.dict())
    unknown = unknown_parameters(request, [*filters.fields, "page"])
    if not filters.is_valid() or unknown:
        raise ValidationError({**filters.errors, **unknown})
    return dict(filters.validated_data)


def _period(wanted: dict[str, Any], now: datetime) -> usage.Period:
    month = usage.month_so_far(now)
    begin, end = wanted.pop("from", None), wanted.pop("to", None)
    period = usage.Period(begin or month.begin, end or month.end)
    if period.begin > period.end:
        raise ValidationError({"to": [f"It is before `from`, {period.begin.isoformat()}. Expected a later time."]})
    return period
