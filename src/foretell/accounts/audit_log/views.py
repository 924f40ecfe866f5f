from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.audit_log.filters import AuditFilters
from foretell.accounts.audit_log.serializers import AuditEntrySerializer
from foretell.accounts.permissions import Action, may_read_audit, principal_of
from foretell.audit.exporting import audit_table
from foretell.audit.models import Entry
from foretell.core.browsable import BrowsableRenderer
from foretell.core.etags import tagged
from foretell.core.exports import EXPORT_RENDERERS, JSONLinesRenderer, Table, for_tenant
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_NONE_MATCH
from foretell.core.pagination import LastPositionFirst
from foretell.core.queries import Filters, Search
from foretell.core.tenancy import current_tenant
from foretell.refusals import NotAllowed


class AuditView(ListView):
    """Every change of the tenant's state, the newest first. Predictions are not among them: they have a log of their own."""

    required_actions = {"GET": Action.READ_AUDIT}
    serializer_class = AuditEntrySerializer
    pagination_class = LastPositionFirst
    renderer_classes = [JSONRenderer, BrowsableRenderer, *EXPORT_RENDERERS, JSONLinesRenderer]
    filter_backends = [Filters, Search]
    filterset_class = AuditFilters
    queryset = Entry.objects.none()

    def get_queryset(self) -> QuerySet[Entry]:
        return readable(self.request)

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        fields = ("action", "target_id", "target_name", "actor_name")
        for term in terms:
            either = Q()
            for field in fields:
                either |= Q(**{f"{field}__icontains": term})
            found = found.filter(either)
        return found

    def table(self, found: QuerySet[Any]) -> Table:
        table: Table = audit_table(found)  # type: ignore[arg-type]  # the manager's own queryset
        return replace(table, parts=for_tenant(current_tenant(), table.parts))

    @extend_schema(operation_id="audit_list", responses=AuditEntrySerializer(many=True))
    def get(self, request: Request) -> HttpResponseBase:
        return self.listed(request)


class EntryView(generics.GenericAPIView[Entry]):
    """One change."""

    required_actions = {"GET": Action.READ_AUDIT}
    serializer_class = AuditEntrySerializer

    @extend_schema(operation_id="audit_read", parameters=[IF_NONE_MATCH], responses=AuditEntrySerializer)
    def get(self, request: Request, entry_id: UUID) -> Response:
        found = readable(request).filter(pk=entry_id).first()
        if found is None:
            raise Http404
        return tagged(request, self.get_serializer(found).data)


def readable(request: Request) -> QuerySet[Entry]:
    """Return the chain's rows, for whoever may read them.

    Raises
    ------
    NotAllowed
    """
    if not may_read_audit(principal_of(request)):
        raise NotAllowed("Your key is limited to some models, and the audit is of all. Use another key.")
    return Entry.objects.exclude(position=None).order_by("-position")
