"""A list over REST: filtered, searched, ordered; a page of it, or all of it as a file."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import generics
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from foretell.core.browsable import BrowsableRenderer
from foretell.core.exports import EXPORT_RENDERERS, Table, export_response, is_export
from foretell.core.pagination import check_pages
from foretell.core.queries import Filters, Ordering, Search


class ListView(generics.GenericAPIView[Any]):
    """What lists share. A subclass says its queryset, serializer, filters, and the `table` that is exported."""

    renderer_classes = [JSONRenderer, BrowsableRenderer, *EXPORT_RENDERERS]
    filter_backends = [Filters, Search, Ordering]
    required_actions: Mapping[str, Any] = {}
    search_fields: list[str] = []
    ordering_fields: list[str] = []

    def get_renderers(self) -> list[BaseRenderer]:
        """Return those of the method: a list is exported, the answer to a change is not."""
        is_change = self.request.method in {*self.required_actions} - {"GET"}
        kinds = self.renderer_classes[:2] if is_change else self.renderer_classes
        return [kind() for kind in kinds]

    def listed(self, request: Request) -> HttpResponseBase:
        found = self.filter_queryset(self.get_queryset())
        if is_export(request):
            check_pages(request)
            return export_response(request, self.table(found))
        page = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        """Return the rows in which each of the words is found."""
        raise NotImplementedError

    def table(self, found: QuerySet[Any]) -> Table:
        raise NotImplementedError
