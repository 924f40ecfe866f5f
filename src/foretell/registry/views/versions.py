from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiRequest, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, principal_of
from foretell.core.etags import check_match, tagged
from foretell.core.exports import Table
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_MATCH, IF_MATCH_NEEDED, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser
from foretell.registry.describing import delete_version, describe_version
from foretell.registry.exporting import versions_table
from foretell.registry.filters import METRICS, TAGS, VersionFilters
from foretell.registry.models import ModelVersion
from foretell.registry.pushing import push_version
from foretell.registry.serializers import VersionSerializer
from foretell.registry.uploads import PushForm, read_push
from foretell.registry.views.access import plain_model_of, version_of
from foretell.registry.views.models import validated
from foretell.registry.views.parsers import PushParser
from foretell.registry.writing import VersionChangeSerializer, VersionReplaceSerializer


class VersionsView(ListView):
    """The versions of a model, the newest first; also as CSV, Excel and Parquet. `?metric.accuracy__gte=0.9`, `?tag.team=a`."""

    required_actions = {"GET": Action.READ, "POST": Action.PUSH}
    serializer_class = VersionSerializer
    parser_classes = [PushParser]
    filterset_class = VersionFilters
    entries = {entries.prefix: entries for entries in (METRICS, TAGS)}
    ordering_fields = ["number", "created_at", "ready_at", "size_bytes"]
    queryset = ModelVersion.objects.none()

    def get_queryset(self) -> QuerySet[ModelVersion]:
        model = plain_model_of(self.request, self.kwargs["name"])
        return model.versions.select_related("model", "created_by").prefetch_related("aliases").order_by("-number")

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        return found.filter(*(Q(description__icontains=term) for term in terms))

    def table(self, found: QuerySet[Any]) -> Table:
        return versions_table(self.kwargs["name"], found)

    @extend_schema(operation_id="versions_list", responses=VersionSerializer(many=True))
    def get(self, request: Request, name: str) -> HttpResponseBase:
        return self.listed(request)

    @extend_schema(
        operation_id="versions_push",
        request={
            "multipart/form-data": OpenApiRequest(PushForm, encoding={"metadata": {"contentType": "application/json"}})
        },
        responses={201: VersionSerializer, 200: VersionSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Push a version: its file or files, a sample as CSV, and metadata as JSON. The same push again is the same version."""
        push = read_push(request.data, request.FILES)
        version, is_new = push_version(name=name, principal=principal_of(request), now=timezone.now(), **push)
        body = self.get_serializer(version_of(request, name, version.number)).data
        return Response(body, status=201 if is_new else 200, headers={"Location": body["url"]})


class VersionView(generics.GenericAPIView[ModelVersion]):
    """One version: its state, signature, parity, metrics and lineage. What was built never changes; what is said of it may."""

    required_actions = {"GET": Action.READ, "PUT": Action.PUSH, "PATCH": Action.PUSH, "DELETE": Action.PUSH}
    serializer_class = VersionSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="versions_read", parameters=[IF_NONE_MATCH], responses=VersionSerializer)
    def get(self, request: Request, name: str, number: int) -> Response:
        return self._answer(version_of(request, name, number))

    @extend_schema(
        operation_id="versions_replace",
        parameters=[IF_MATCH_NEEDED],
        request=VersionReplaceSerializer,
        responses=VersionSerializer,
    )
    def put(self, request: Request, name: str, number: int) -> Response:
        """Say anew all that its author says of it. Needs If-Match."""
        return self._described(request, VersionReplaceSerializer, is_required=True)

    @extend_schema(
        operation_id="versions_change",
        parameters=[IF_MATCH],
        request=VersionChangeSerializer,
        responses=VersionSerializer,
    )
    def patch(self, request: Request, name: str, number: int) -> Response:
        """Change what is given: description, tags, metrics, lineage. An editor's own versions; an admin's are all."""
        return self._described(request, VersionChangeSerializer, is_required=False)

    @extend_schema(operation_id="versions_delete", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, name: str, number: int) -> Response:
        """Delete a version that no alias points at. Its number is never used again."""
        delete_version(
            version=version_of(request, name, number),
            principal=principal_of(request),
            precondition=self._matching(False),
        )
        return Response(status=204)

    def _described(self, request: Request, accepted: type[Any], *, is_required: bool) -> Response:
        version = version_of(request, self.kwargs["name"], self.kwargs["number"])
        changed = describe_version(
            version=version, principal=principal_of(request), changes=validated(accepted, request.data),
            precondition=self._matching(is_required),
        )  # fmt: skip
        return self._answer(changed)

    def _matching(self, is_required: bool) -> Any:
        return lambda version: check_match(self.request, self.get_serializer(version).data, is_required=is_required)

    def _answer(self, version: ModelVersion) -> Response:
        return tagged(self.request, self.get_serializer(version).data)
