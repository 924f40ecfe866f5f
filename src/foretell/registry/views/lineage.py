from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foretell.accounts.permissions import Action, principal_of
from foretell.core.etags import tagged
from foretell.core.openapi.fields import ObjectField
from foretell.core.openapi.headers import IF_NONE_MATCH
from foretell.registry.lineage import ancestors, children
from foretell.registry.models import ModelVersion
from foretell.registry.views.access import version_of


class RelatedVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """A version that another one was made from, or that was made from it."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="number", read_only=True)
    lineage = ObjectField(read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = ["model", "version", "state", "lineage", "created_at", "url"]
        read_only_fields = fields

    def get_url(self, version: ModelVersion) -> str:
        args = [version.model.name, version.number]
        return reverse("registry:version", args=args, request=self.context["request"])


class LineageOfVersionSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    version = serializers.IntegerField()
    lineage = serializers.DictField(help_text="What its author says: commit, dataset, libraries, parent.")
    ancestors = RelatedVersionSerializer(many=True, help_text="Its parent, the parent's parent, and so on.")
    children = RelatedVersionSerializer(many=True, help_text="The versions that were made from it.")


class LineageView(generics.GenericAPIView[ModelVersion]):
    """Where a version comes from, and what was made from it; as far as you may see it."""

    required_actions = {"GET": Action.READ}
    serializer_class = LineageOfVersionSerializer

    @extend_schema(operation_id="lineage_read", parameters=[IF_NONE_MATCH], responses=LineageOfVersionSerializer)
    def get(self, request: Request, name: str, number: int) -> Response:
        version, principal = version_of(request, name, number), principal_of(request)
        found = {
            "model": name, "version": version.number, "lineage": version.lineage,
            "ancestors": ancestors(version, principal=principal), "children": children(version, principal=principal),
        }  # fmt: skip
        return tagged(request, self.get_serializer(found).data)
