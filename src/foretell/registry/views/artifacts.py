from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.request import Request

from foretell.accounts.permissions import Action
from foretell.core.etags import is_known
from foretell.core.openapi.headers import IF_NONE_MATCH
from foretell.refusals import VersionNotReady
from foretell.registry import storage
from foretell.registry.models import ModelVersion
from foretell.registry.sealing import check_seal
from foretell.registry.serializers import VersionSerializer
from foretell.registry.views.access import version_of
from foretell.registry.views.file_chunks import FileChunks


class ArtifactView(generics.GenericAPIView[ModelVersion]):
    """What a version serves, as a file."""

    required_actions = {"GET": Action.READ}
    serializer_class = VersionSerializer

    @extend_schema(
        operation_id="versions_artifact",
        parameters=[IF_NONE_MATCH],
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
            409: OpenApiResponse(description="It is not ready."),
        },
    )
    def get(self, request: Request, name: str, number: int) -> HttpResponseBase:
        version = version_of(request, name, number)
        if not version.is_ready:
            raise VersionNotReady(f"{version} is {version.state}, so it has no artifact yet.")
        check_seal(version)  # Security: a row that was changed could name any file of the tenant's
        headers = _artifact_headers(version)
        if is_known(request, headers["ETag"]):
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
