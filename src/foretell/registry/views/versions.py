from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, principal_of
from foretell.refusals import VersionNotReady
from foretell.registry import storage
from foretell.registry.models import ModelVersion
from foretell.registry.pushing import push_version
from foretell.registry.sealing import check_seal
from foretell.registry.serializers import VersionSerializer
from foretell.registry.uploads import PushForm, read_push
from foretell.registry.views.access import model_of, version_of
from foretell.registry.views.file_chunks import FileChunks
from foretell.registry.views.parsers import PushParser


class VersionsView(generics.GenericAPIView[ModelVersion]):
    """The versions of a model, the newest first."""

    required_actions = {"GET": Action.READ, "POST": Action.PUSH}
    serializer_class = VersionSerializer
    parser_classes = [PushParser]
    queryset = ModelVersion.objects.none()

    def get_queryset(self) -> QuerySet[ModelVersion]:
        model = model_of(self.request, self.kwargs["name"])
        return model.versions.select_related("model", "created_by").prefetch_related("aliases")

    @extend_schema(operation_id="versions_list", responses=VersionSerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="versions_push",
        request={"multipart/form-data": PushForm},
        responses={201: VersionSerializer, 200: VersionSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Push a version: its file or files, a sample as CSV, and metadata as JSON. The same push again is the same version."""
        push = read_push(request.data, request.FILES)
        version, is_new = push_version(name=name, principal=principal_of(request), now=timezone.now(), **push)
        body = self.get_serializer(version_of(request, name, version.number)).data
        return Response(body, status=201 if is_new else 200, headers={"Location": body["url"]})


class VersionView(generics.GenericAPIView[ModelVersion]):
    """One version: its state, signature, parity, metrics and lineage."""

    required_actions = {"GET": Action.READ}
    serializer_class = VersionSerializer

    @extend_schema(operation_id="versions_read", responses=VersionSerializer)
    def get(self, request: Request, name: str, number: int) -> Response:
        return Response(self.get_serializer(version_of(request, name, number)).data)


class ArtifactView(generics.GenericAPIView[ModelVersion]):
    """What a version serves, as a file."""

    required_actions = {"GET": Action.READ}
    serializer_class = VersionSerializer

    @extend_schema(
        operation_id="versions_artifact",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, name: str, number: int) -> HttpResponseBase:
        version = version_of(request, name, number)
        if not version.is_ready:
            raise VersionNotReady(f"{version} is {version.state}, so it has no artifact yet.")
        check_seal(version)  # Security: a row that was changed could name any file of the tenant's
        headers = _artifact_headers(version)
        if headers["ETag"] in request.headers.get("If-None-Match", ""):
            return HttpResponse(status=304, headers={"ETag": headers["ETag"]})
        content = FileChunks(storage.open_verified(version.sha256))
        headers["Content-Length"] = str(content.size_bytes)
        return StreamingHttpResponse(content, content_type="application/octet-stream", headers=headers)


def _artifact_headers(version: ModelVersion) -> dict[str, Any]:
    suffix = "onnx" if version.runtime == "onnx" else "bin"
    return {
        "ETag": f'"{version.sha256}"',
        "Content-Disposition": f'attachment; filename="{version.model.name}-{version.number}.{suffix}"',
        "Cache-Control": "private, immutable, max-age=31536000",
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
